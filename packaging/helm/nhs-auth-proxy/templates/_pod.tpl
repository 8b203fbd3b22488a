{{/*
The container. In a pod of yours it listens on loopback, for that pod alone; the Deployment of this
chart listens to the network.
*/}}
{{- define "nhs-auth-proxy.container" -}}
name: nhs-auth-proxy
{{- with .Values.image }}
{{- if .digest }}
image: {{ printf "%s@%s" .repository .digest | quote }}
{{- else }}
image: {{ printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) | quote }}
{{- end }}
imagePullPolicy: {{ .pullPolicy }}
{{- end }}
{{- if and .Values.nativeSidecar (not .Values.standalone.enabled) }}
restartPolicy: Always
{{- end }}
args:
  - proxy
  - --config=/etc/nhs-auth/nhs-auth.toml
  {{- if .Values.standalone.enabled }}
  - --listen=0.0.0.0:{{ .Values.ports.http }}
  - --allow-remote
  {{- $name := include "nhs-auth-proxy.name" . }}
  {{- $names := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.cluster.local" $name .Release.Namespace) }}
  {{- range concat $names .Values.standalone.serverNames }}
  - --server-name={{ . }}
  {{- end }}
  {{- with .Values.standalone.callerSecretKey }}
  - --caller-secret=file:/run/secrets/nhs-auth/{{ . }}
  {{- end }}
  {{- else }}
  - --listen=127.0.0.1:{{ .Values.ports.http }}
  # For health and metrics, which hold no credential: the kubelet asks from outside of the pod.
  - --allow-remote
  {{- end }}
  - --admin=0.0.0.0:{{ .Values.ports.admin }}
  {{- range .Values.extraArgs }}
  - {{ . | quote }}
  {{- end }}
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  {{- if .Values.standalone.enabled }}
  - name: http
    containerPort: {{ .Values.ports.http }}
  {{- end }}
  - name: nhs-auth-admin
    containerPort: {{ .Values.ports.admin }}
# What waits for this one to have started, waits until it listens.
startupProbe:
  httpGet:
    path: /healthz
    port: nhs-auth-admin
  periodSeconds: 1
  failureThreshold: 30
# A process that can have no token is alive: only what doesn't answer at all is started again.
livenessProbe:
  httpGet:
    path: /healthz
    port: nhs-auth-admin
  periodSeconds: 10
  timeoutSeconds: 2
readinessProbe:
  httpGet:
    path: /readyz
    port: nhs-auth-admin
  periodSeconds: 5
  timeoutSeconds: 2
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  privileged: false
  capabilities:
    drop:
      - ALL
  seccompProfile:
    type: RuntimeDefault
volumeMounts:
  - name: nhs-auth-config
    mountPath: /etc/nhs-auth
    readOnly: true
  - name: nhs-auth-secret
    mountPath: /run/secrets/nhs-auth
    readOnly: true
{{- end -}}

{{/*
The volumes that the container mounts. The Secret's files are for the pod's fsGroup to read: give
your pod `fsGroup: 65532`.
*/}}
{{- define "nhs-auth-proxy.volumes" -}}
- name: nhs-auth-config
  configMap:
    name: {{ include "nhs-auth-proxy.name" . }}
- name: nhs-auth-secret
  secret:
    secretName: {{ required "existingSecret: the Secret that holds the API key and the private key" .Values.existingSecret }}
    defaultMode: 0440
{{- end -}}
