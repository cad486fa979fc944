"""Servers that run on the platform's own engine: what each kind needs, and how it is spoken to."""

KINDS = {
    "postgres": "services.brokers.engine.postgres.Postgres",
    "redis": "services.brokers.engine.redis.Redis",
    "mysql": "services.brokers.engine.mysql.MariaDB",
}
