{{/* What KEDA looks at for a group of workers: of (list ROOT NAME GROUP). */}}
{{- define "spotter.triggers" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $group := index . 2 }}
{{- $of := dict "root" $root "name" $name "group" $group }}
{{- include (printf "spotter.triggers.%s" $root.Values.scaler.kind) $of }}
{{- with $group.triggers }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "spotter.triggers.keda" -}}
- type: external-push
  metadata:
    scalerAddress: keda-scaler.{{ .root.Release.Namespace }}:9090
    pool: {{ .name | quote }}
{{- end }}

{{- define "spotter.triggers.keda-metrics-api" -}}
- type: metrics-api
  authenticationRef:
    name: gateway
  metadata:
    url: http://gateway.{{ .root.Release.Namespace }}:8080/v1/stats
    valueLocation: queued
    targetValue: {{ .root.Values.scaler.jobsPerWorker | quote }}
    authMode: bearer
{{- end }}

{{/* Jobs for the models, and those that need none. A queue is called ENGINE, or ENGINE/MODEL. */}}
{{- define "spotter.triggers.keda-postgres" -}}
{{- $models := .group.models }}
{{- if .group.withoutModel }}
{{- $models = prepend $models "" }}
{{- end }}
{{- $which := len $models | eq 1 | ternary (printf "= '%s'" (first $models)) (printf "IN ('%s')" (join "', '" $models)) -}}
- type: postgresql
  authenticationRef:
    name: postgres
  metadata:
    {{- if include "spotter.hasPostgres" .root }}
    host: postgres.{{ .root.Release.Namespace }}
    port: "5432"
    userName: spotter
    dbName: spotter
    sslmode: disable
    {{- end }}
    targetQueryValue: {{ .root.Values.scaler.jobsPerWorker | quote }}
    query: >-
      SELECT coalesce(sum(entered - departed + running), 0) FROM {{ .root.Values.settings.SPOTTER__POSTGRES__SCHEMA | default "spotter" }}.tallies
      WHERE split_part(queue, '/', 2) {{ $which }} AND split_part(queue, '/', 3) = ''
{{- end }}

{{- define "spotter.triggers.keda-redis" -}}
{{- $queues := list }}
{{- range $engine := .group.engines }}
{{- range $.group.models }}
{{- $queues = append $queues (printf "%s/%s" $engine .) }}
{{- end }}
{{- end }}
{{- range concat $queues .group.withoutModel }}
- type: redis
  authenticationRef:
    name: redis
  metadata:
    address: redis.{{ $.root.Release.Namespace }}:6379
    databaseIndex: "0"
    listName: __engine_pending_list_{{ . }}__
    listLength: {{ $.root.Values.scaler.jobsPerWorker | quote }}
{{- end }}
{{- end }}

{{/* Each engine and model has a queue for each priority. */}}
{{- define "spotter.triggers.keda-sqs" -}}
{{- range $engine := .group.engines }}
{{- range $model := $.group.models }}
{{- range $priority := list "normal" "high" "low" }}
- type: aws-sqs-queue
  authenticationRef:
    name: sqs
  metadata:
    queueURL: spotter-{{ $engine }}_{{ $model }}-{{ $priority }}
    awsRegion: {{ $.root.Values.aws.region }}
    queueLength: {{ $.root.Values.scaler.jobsPerWorker | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
