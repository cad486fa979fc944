"""What takes requests from the outside to instances and to the console."""

KINDS = {"envoy": "paas.seams.routers.envoy.EnvoyRouter", "fake": "paas.seams.routers.fake.FakeRouter"}
