{{/* The pod that pulls a model of the catalogue: of (list ROOT MODEL). */}}
{{- define "spotter.pullPod" -}}
{{- $root := index . 0 }}
{{- $model := index . 1 -}}
serviceAccountName: models
restartPolicy: OnFailure
terminationGracePeriodSeconds: 60
{{ include "spotter.pod" $root }}
containers:
  - name: spotter
    args: [models, pull, {{ $model }}]
    {{- include "spotter.container" $root | nindent 4 }}
    resources:
      requests:
        cpu: 250m
        memory: 512Mi
      limits:
        memory: 512Mi
    volumeMounts:
      {{- include "spotter.scratchMounts" $root | nindent 6 }}
      - name: models
        mountPath: /var/lib/spotter/models
volumes:
  {{- include "spotter.scratchVolumes" $root | nindent 2 }}
  - name: models
    persistentVolumeClaim:
      claimName: {{ $root.Values.models.existingClaim | default "models" }}
{{- end }}
