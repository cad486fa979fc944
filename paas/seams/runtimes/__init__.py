"""What runs containers: one engine in one cloud."""

KINDS = {"docker": "paas.seams.runtimes.docker.DockerRuntime", "fake": "paas.seams.runtimes.fake.FakeRuntime"}
