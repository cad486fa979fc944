"""Who makes service instances: a broker that speaks the Open Service Broker API over HTTP, or a kind of our own."""

KINDS = {
    "osb": "services.brokers.osb.OsbBroker",
    "container": "services.brokers.container.ContainerBroker",
    "amazon": "services.brokers.amazon.broker.AmazonBroker",
}
