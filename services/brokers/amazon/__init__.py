"""Services that Amazon runs: what each kind is made of there, with the operator's credentials."""

KINDS = {
    "aws-s3-bucket": "services.brokers.amazon.s3.Buckets",
    "aws-sqs-queue": "services.brokers.amazon.sqs.Queues",
    "aws-rds-postgres": "services.brokers.amazon.rds.PostgresDatabases",
    "aws-rds-mysql": "services.brokers.amazon.rds.MysqlDatabases",
    "aws-elasticache-redis": "services.brokers.amazon.elasticache.Caches",
}
