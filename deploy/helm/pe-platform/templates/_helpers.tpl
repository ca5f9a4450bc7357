{{- define "pe.name" -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- end }}

{{- define "pe.secret" -}}
{{ .Values.secrets.existingSecret | default (printf "%s-secrets" (include "pe.name" .)) }}
{{- end }}

{{- define "pe.claim" -}}
{{ .Values.storage.existingClaim | default (printf "%s-shared" (include "pe.name" .)) }}
{{- end }}

{{- define "pe.labels" -}}
app.kubernetes.io/name: pe-platform
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "pe.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* What values.schema.json cannot say: conditions between values. */}}
{{- define "pe.check" -}}
{{- $v := .Values -}}
{{- if and $v.secrets.existingSecret $v.secrets.external.enabled -}}
{{- fail "secrets: name existingSecret or enable external, not both." -}}
{{- end -}}
{{- if not (or $v.secrets.existingSecret $v.secrets.external.enabled) -}}
{{- fail "secrets: name existingSecret, or enable external with a store and a key. Secrets never stand in values." -}}
{{- end -}}
{{- if and $v.secrets.external.enabled (not (and $v.secrets.external.storeName $v.secrets.external.key)) -}}
{{- fail "secrets.external: storeName and key are both needed." -}}
{{- end -}}
{{- if gt (int $v.web.hpa.minReplicas) (int $v.web.hpa.maxReplicas) -}}
{{- fail (printf "web.hpa: minReplicas %d is above maxReplicas %d." (int $v.web.hpa.minReplicas) (int $v.web.hpa.maxReplicas)) -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.tlsSecretName) -}}
{{- fail "ingress: tlsSecretName is needed; the platform answers over TLS only." -}}
{{- end -}}
{{- if and $v.keda.enabled (not $v.keda.prometheusAddress) -}}
{{- fail "keda: prometheusAddress is needed to read pe_queue_messages." -}}
{{- end -}}
{{- range $queue, $worker := $v.workers -}}
{{- if gt (int $worker.keda.min) (int $worker.keda.max) -}}
{{- fail (printf "workers.%s.keda: min %d is above max %d." $queue (int $worker.keda.min) (int $worker.keda.max)) -}}
{{- end -}}
{{- end -}}
{{- if lt (int $v.workers.escalation.keda.min) 1 -}}
{{- fail "workers.escalation.keda: min must be 1 or more; a crisis never waits for a pod to start." -}}
{{- end -}}
{{- if and $v.smoke.enabled (not $v.smoke.secretName) -}}
{{- fail "smoke: secretName is needed, the Secret that holds an API key." -}}
{{- end -}}
{{- end }}

{{/* The environment of every process; call with root, component and chain. */}}
{{- define "pe.env" -}}
- {name: PE_SERVICE, value: {{ .component | quote }}}
- {name: PE_AUDIT_CHAIN, value: {{ .component | quote }}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
# Prometheus and the probes name the pod by its address.
- {name: PE_ALLOWED_HOSTS, value: "{{ .root.Values.host }},{{ include "pe.name" .root }}-web,$(POD_IP)"}
- {name: PE_TRUSTED_ORIGINS, value: "https://{{ .root.Values.host }}"}
- {name: PE_PUBLIC_URL, value: "https://{{ .root.Values.host }}"}
- {name: PE_BEHIND_TLS_PROXY, value: "1"}
- {name: PE_DRAIN_S, value: {{ .root.Values.drainSeconds | quote }}}
- {name: PROMETHEUS_MULTIPROC_DIR, value: /tmp/metrics}
{{- range $name, $value := .root.Values.environment }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "pe.image" -}}
{{- $image := .root.Values.image -}}
{{- if .gpu -}}{{ $image.repository }}:{{ $image.cudaTag }}
{{- else if $image.digest -}}{{ $image.repository }}@{{ $image.digest }}
{{- else -}}{{ $image.repository }}:{{ $image.tag }}{{- end -}}
{{- end }}

{{/* What every container shares; call with root, component, gpu and shared. It ends
     with the list of variables, to which the caller may add. */}}
{{- define "pe.container" -}}
image: {{ include "pe.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
envFrom:
  - secretRef: {name: {{ include "pe.secret" .root }}}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: state, mountPath: /var/lib/pe}
  {{- if .shared }}
  - {name: shared, mountPath: /var/lib/pe/media, subPath: media}
  - {name: shared, mountPath: /var/lib/pe/escalations, subPath: escalations}
  - {name: shared, mountPath: /var/lib/pe/audit, subPath: audit}
  {{- end }}
env:
  {{- include "pe.env" . | nindent 2 }}
{{- end }}

{{- define "pe.pod" -}}
automountServiceAccountToken: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - {name: {{ . }}}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: {{ .root.Values.storage.scratch }}}
  - name: state
    emptyDir: {sizeLimit: {{ .root.Values.storage.scratch }}}
  {{- if .shared }}
  - name: shared
    persistentVolumeClaim: {claimName: {{ include "pe.claim" .root }}}
  {{- end }}
{{- end }}

{{- define "pe.spread" -}}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "pe.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{/* Draining, 5 s for the load balancer, 20 s for Celery and gunicorn to end. */}}
{{- define "pe.grace" -}}{{ add .Values.drainSeconds 25 }}{{- end }}
