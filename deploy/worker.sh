#!/bin/sh
# One worker for the queues given, separated by commas: `deploy/worker.sh escalation`.
# The chart, compose.yml and people by hand start workers through this one line.
#
# SIGTERM becomes Celery's soft shutdown: tasks get CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT
# to finish and are then interrupted; left alone it would wait for a training run's end.
set -eu
queues="${1:?the queues to serve, separated by commas}"
export REMAP_SIGTERM=SIGQUIT
exec celery -A pe_platform.celery worker --queues "$queues" \
  --concurrency "${PE_WORKER_PROCESSES:-1}" --hostname "${queues%%,*}@%h" \
  --loglevel INFO --without-gossip --without-mingle
