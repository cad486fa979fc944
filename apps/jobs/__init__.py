"""The worker door: what is done in the background, each job claimed from a row."""

from apps.jobs.clean import collect, delete_space, remove
from apps.jobs.converge import converge
from apps.jobs.stage import stage
from apps.jobs.task import run_task
from apps.jobs.watch import watch

__all__ = ["collect", "converge", "delete_space", "remove", "run_task", "stage", "watch"]
