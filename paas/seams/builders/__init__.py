"""What turns source into a droplet."""

KINDS = {"container": "paas.seams.builders.container.ContainerBuilder", "fake": "paas.seams.builders.fake.FakeBuilder"}
