{{/* Values that are right one by one and can't work together: a sentence each, with what to do. */}}
{{- define "spotter.mistakes" -}}
{{- $kind := .Values.scaler.kind }}
{{- $backend := .Values.backend.kind }}
{{- $groups := include "spotter.groups" . | fromYaml }}
{{- if and (eq $backend "aws") (has $kind (list "keda-postgres" "keda-redis")) }}
- "scaler.kind is {{ $kind }}, which needs backend.kind postgres, and that is aws: take keda-sqs, keda or spotter."
{{- end }}
{{- if and (eq $backend "postgres") (eq $kind "keda-sqs") }}
- "scaler.kind is keda-sqs, which needs backend.kind aws, and that is postgres: take keda-postgres, keda or spotter."
{{- end }}
{{- if eq $backend "aws" }}
{{- if not .Values.blobs.url }}
- "backend.kind is aws: set blobs.url to s3://BUCKET/PREFIX, where pictures are kept."
{{- end }}
{{- if not .Values.aws.region }}
- "backend.kind is aws: set aws.region to the region of the table and the queues, as eu-central-1."
{{- end }}
{{- if .Values.backend.postgres.external.enabled }}
- "backend.postgres.external.enabled is true and backend.kind is aws: choose one of them."
{{- end }}
{{- else if and .Values.backend.postgres.external.enabled .Values.networkPolicies.enabled (not .Values.backend.postgres.external.peers) }}
- "backend.postgres.external.peers is empty, so no gateway may reach the database: set it, as [{ipBlock: {cidr: 10.20.30.0/24}}], or networkPolicies.enabled to false."
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) }}
- "ingress.enabled is true: set ingress.host to the name under which clients reach Spotter."
{{- end }}
{{- if and (ne $kind "none") (not $groups) }}
- "scaler.kind is {{ $kind }}, and workers has no group to scale: add one, or set scaler.kind to none."
{{- end }}
{{- if and (eq $kind "keda-metrics-api") $groups (not (hasKey $groups .Values.scaler.metricsApi.group)) }}
- "scaler.metricsApi.group is {{ .Values.scaler.metricsApi.group }}, and workers has no such group: name one of {{ keys $groups | sortAlpha | join ", " }}."
{{- end }}
{{- $owners := dict }}
{{- range $name, $group := $groups }}
{{- if gt (int $group.min) (int $group.max) }}
- "workers.{{ $name }}: min is {{ $group.min }} and max is {{ $group.max }}: set max to {{ $group.min }} or more."
{{- else if and (include "spotter.hasKeda" $) (eq (int $group.min) (int $group.max)) }}
- "workers.{{ $name }}: min and max are both {{ $group.min }}, with which KEDA never scales: set max higher, or min lower."
{{- end }}
{{- range $group.models }}
{{- if and (include "spotter.hasPolicy" $) (hasKey $owners .) }}
- "workers.{{ $name }}: the model {{ . }} is in workers.{{ get $owners . }}, too. With scaler.kind {{ $kind }} a model has one group: take it out of one of them."
{{- end }}
{{- $_ := set $owners . $name }}
{{- end }}
{{- end }}
{{- end }}
