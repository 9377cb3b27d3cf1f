{{/* Of every object: whose it is. */}}
{{- define "spotter.releaseLabels" -}}
app.kubernetes.io/part-of: spotter
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{/* Of every object but those of PostgreSQL and Redis. */}}
{{- define "spotter.labels" -}}
app.kubernetes.io/name: spotter
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{ include "spotter.releaseLabels" . }}
{{- end }}

{{/* Who decides how many workers there are: the gateway `autoscaler`, or somebody who knows less. */}}
{{- define "spotter.hasPolicy" -}}
{{- if has .Values.scaler.kind (list "spotter" "keda") }}yes{{ end }}
{{- end }}

{{- define "spotter.hasKeda" -}}
{{- if hasPrefix "keda" .Values.scaler.kind }}yes{{ end }}
{{- end }}

{{/* Something else than the chart says how many pods a group has: of (list ROOT NAME). keda-metrics-api scales one group. */}}
{{- define "spotter.isScaled" -}}
{{- $scaler := (index . 0).Values.scaler }}
{{- if eq $scaler.kind "keda-metrics-api" | ternary (eq (index . 1) $scaler.metricsApi.group) (ne $scaler.kind "none") }}yes{{ end }}
{{- end }}

{{/* PostgreSQL in a pod of this chart. */}}
{{- define "spotter.hasPostgres" -}}
{{- if and (eq .Values.backend.kind "postgres") (not .Values.backend.postgres.external.enabled) }}yes{{ end }}
{{- end }}

{{/* The groups of workers, each with all its values, as YAML. */}}
{{- define "spotter.groups" -}}
{{- $groups := dict }}
{{- range $name, $own := .Values.workers }}
{{- $_ := set $groups $name (mergeOverwrite (dict "gpu" $.Values.gpu.enabled) (deepCopy $.Values.workerDefaults) $own) }}
{{- end }}
{{- toYaml $groups }}
{{- end }}

{{/* What the gateways know of jobs and pictures: SPOTTER__… and what Amazon's SDK reads. */}}
{{- define "spotter.store" -}}
{{- $store := dict "SPOTTER__BLOBS" (.Values.blobs.url | default "folder:/var/lib/spotter/blobs") }}
{{- if eq .Values.backend.kind "aws" }}
{{- $_ := set $store "SPOTTER__BACKEND" "aws" }}
{{- $_ := set $store "SPOTTER__AWS__CREATE" (toString .Values.aws.create) }}
{{- else }}
{{- $_ := set $store "SPOTTER__BACKEND" (eq .Values.scaler.kind "keda-redis" | ternary "redis" "postgres") }}
{{- end }}
{{- with .Values.aws.region }}
{{- $_ := set $store "AWS_REGION" . }}
{{- end }}
{{- if .Values.blobs.url }}
{{- /* Workers reach nothing but the gateway, so no links into the bucket for them. */}}
{{- $_ := set $store "SPOTTER__WORKERLINKS" "false" }}
{{- end }}
{{- toYaml (mergeOverwrite $store .Values.settings) }}
{{- end }}
