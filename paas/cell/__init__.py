"""The agent on each machine: network, firewall, disks, health, exits and logs of instances, with the control plane up or down."""
