{{/* The beginning of a network policy: of (list ROOT NAME). */}}
{{- define "spotter.policy" -}}
{{- $root := index . 0 -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ index . 1 }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "spotter.labels" $root | nindent 4 }}
{{- end }}

{{/* Both sides have to let it through: of (dict "root" "from" "fromLabels" "to" "toLabels" "port"). */}}
{{- define "spotter.flow" -}}
{{ include "spotter.policy" (list .root (printf "%s-from-%s" .to .from)) }}
spec:
  podSelector:
    matchLabels: {{ toJson .toLabels }}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels: {{ toJson .fromLabels }}
      ports:
        - port: {{ .port }}
{{ include "spotter.policy" (list .root (printf "%s-to-%s" .from .to)) }}
spec:
  podSelector:
    matchLabels: {{ toJson .fromLabels }}
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector:
            matchLabels: {{ toJson .toLabels }}
      ports:
        - port: {{ .port }}
{{- end }}

{{/* Calls from another namespace: of (dict "root" "from" "namespace" "to" "port"). */}}
{{- define "spotter.flowFromNamespace" -}}
{{ include "spotter.policy" (list .root (printf "%s-from-%s" .to .from)) }}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/component: {{ .to }}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: {{ .namespace }}
      ports:
        - port: {{ .port }}
{{- end }}
