{{/* What every pod of the image has: no rights, and nothing to write to but its own /var/lib/spotter and /tmp. */}}
{{- define "spotter.pod" -}}
automountServiceAccountToken: false
{{ include "spotter.podOfAccount" . }}
{{- end }}

{{/* The same, for the one pod that may have a token for the Kubernetes API. */}}
{{- define "spotter.podOfAccount" -}}
{{- /* The variables of Services would only be in the way of Spotter's own. */ -}}
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "spotter.container" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{ include "spotter.containerOfImage" . }}
{{- end }}

{{- define "spotter.containerOfImage" -}}
{{- with .Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
{{ include "spotter.containerSecurity" . }}
{{- end }}

{{- define "spotter.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "spotter.scratchMounts" -}}
- name: data
  mountPath: /var/lib/spotter
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "spotter.scratchVolumes" -}}
- name: data
  emptyDir:
    sizeLimit: 2Gi
- name: tmp
  emptyDir:
    sizeLimit: 1Gi
{{- end }}

{{/* The nodes that a pod may run on. The value is what has nodeSelector and affinity. */}}
{{- define "spotter.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The next one starts elsewhere as soon as its node is lost: there is no other. */}}
{{- define "spotter.leaveLostNodes" -}}
- {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 20}
- {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 20}
{{- end }}
