{{/* For ingress-nginx; others have no such limits, or take their own annotations. */}}
{{- define "spotter.nginxAnnotations" -}}
# The largest input is 32 MiB, and a third more in Base64. Spotter refuses what is too long.
nginx.ingress.kubernetes.io/proxy-body-size: 48m
# Uploads are judged as they come, and events have to arrive when they happen.
nginx.ingress.kubernetes.io/proxy-request-buffering: "off"
nginx.ingress.kubernetes.io/proxy-buffering: "off"
# An event stream is open for up to 15 minutes.
nginx.ingress.kubernetes.io/proxy-read-timeout: "960"
{{- end }}
