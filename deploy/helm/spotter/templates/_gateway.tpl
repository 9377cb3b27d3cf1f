{{/* What all that know the job store have in common. They share the secrets, and each answers for all. */}}

{{/* Their pods are replaced when what they know of the job store changes. */}}
{{- define "spotter.gatewayAnnotations" -}}
checksum/store: {{ include "spotter.store" . | sha256sum }}
{{- with .Values.gateway.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "spotter.gatewayPod" -}}
priorityClassName: {{ .Values.priorityClasses.service }}
terminationGracePeriodSeconds: 60
{{- include "spotter.placement" .Values.gateway }}
{{- end }}

{{- define "spotter.gatewayContainer" -}}
envFrom:
  - configMapRef:
      name: store
env:
  {{- include "spotter.gatewayEnv" . | nindent 2 }}
{{- /* It may wait for tables that another one is changing. Where the job store can't be reached at the start, it ends and is started again. */}}
startupProbe:
  httpGet:
    path: /healthz
    port: http
  periodSeconds: 2
  failureThreshold: 60
{{- /* Not ready while the job store does not answer; that is no reason to start it again. */}}
readinessProbe:
  httpGet:
    path: /readyz
    port: http
  periodSeconds: 5
  timeoutSeconds: 5
livenessProbe:
  httpGet:
    path: /healthz
    port: http
  periodSeconds: 10
  timeoutSeconds: 5
lifecycle:
  {{- /* Until everybody knows that no new requests go here. */}}
  preStop:
    sleep:
      seconds: 5
resources:
  {{- toYaml .Values.gateway.resources | nindent 2 }}
{{- end }}

{{- define "spotter.gatewayPorts" -}}
- name: http
  containerPort: 8080
{{- end }}

{{- define "spotter.gatewayEnv" -}}
{{- if eq .Values.scaler.kind "keda-redis" }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secrets.redisPassword }}
      key: password
- name: SPOTTER__REDIS__URL
  value: redis://:$(REDIS_PASSWORD)@redis:6379/0
{{- end }}
{{- if include "spotter.hasPostgres" . }}
- name: POSTGRES_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secrets.main }}
      key: postgres-password
- name: SPOTTER__POSTGRES__URL
  value: postgres://spotter:$(POSTGRES_PASSWORD)@postgres:5432/spotter
{{- else if eq .Values.backend.kind "postgres" }}
- name: SPOTTER__POSTGRES__URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secrets.databaseUrl }}
      key: url
{{- end }}
- name: SPOTTER__WORKER__TOKENFILE
  value: /run/spotter/worker-token
- name: SPOTTER__WEBHOOKS__SECRETFILE
  value: /run/spotter/webhook-secret
- name: SPOTTER__KEYSFILE
  value: /run/spotter/keys.json
- name: SPOTTER__LOG__FORMAT
  value: json
{{- with .Values.gateway.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "spotter.gatewayMounts" -}}
{{- if not .Values.blobs.url }}
- name: blobs
  mountPath: /var/lib/spotter/blobs
{{- end }}
- name: secrets
  mountPath: /run/spotter
  readOnly: true
{{- /* What there are jobs for, also while no worker has them. */}}
- name: models
  mountPath: /var/lib/spotter/models
  readOnly: true
{{ include "spotter.scratchMounts" . }}
{{- end }}

{{- define "spotter.gatewayVolumes" -}}
{{- if not .Values.blobs.url }}
- name: blobs
  persistentVolumeClaim:
    claimName: {{ .Values.blobs.existingClaim | default "blobs" }}
{{- end }}
- name: models
  persistentVolumeClaim:
    claimName: {{ .Values.models.existingClaim | default "models" }}
    readOnly: true
- name: secrets
  secret:
    secretName: {{ .Values.secrets.main }}
    defaultMode: 0440
    items:
      - key: worker-token
        path: worker-token
      - key: webhook-secret
        path: webhook-secret
      - key: keys.json
        path: keys.json
{{ include "spotter.scratchVolumes" . }}
{{- end }}
