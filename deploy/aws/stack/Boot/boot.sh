# The first start of a machine: fetches the release, checks it, and starts it under systemd. What stands before this says which
# role, release and settings. SPOTTER_BOOT_ROOT is another root for the files, for tests.
set -euo pipefail
root=${SPOTTER_BOOT_ROOT:-}
instance=$(cat "$root/var/lib/cloud/data/instance-id")
export AWS_DEFAULT_REGION=$region

# again COMMAND…: what needs the network may have to wait for it.
again() {
  local try
  for try in 1 2 3 4 5 6 7 8; do
    "$@" && return
    echo "boot: that failed, try $try: $*" >&2
    sleep $((try * 2))
  done
  "$@"
}

again aws s3 cp --no-progress "$release" "$root/opt/release.tar.gz"
echo "$release_sha256  $root/opt/release.tar.gz" | sha256sum --check --quiet
mkdir -p "$root/opt/spotter" "$root/etc/spotter" "$root/etc/systemd/system" "$root/etc/logrotate.d" "$root/usr/local/bin"
# systemd opens the log before it makes the service's folders.
mkdir -p "$root/var/log/spotter"
tar -xzf "$root/opt/release.tar.gz" -C "$root/opt/spotter" --no-same-owner
rm "$root/opt/release.tar.gz"
id spotter >/dev/null 2>&1 || useradd --system --home-dir /var/lib/spotter --shell /usr/sbin/nologin spotter

printf '%s\n' "$environment" "SPOTTER__WORKER__NAME=$instance" >"$root/etc/spotter/environment"
printf '%s\n' "$secrets" >"$root/etc/spotter/secrets"

cat >"$root/usr/local/bin/spotter-secrets" <<END
#!/bin/bash
# Puts the secrets into the folder in memory that systemd makes for Spotter alone. A secret that didn't change is left.
set -euo pipefail
umask 077
while read -r file secret; do
  aws secretsmanager get-secret-value --secret-id "\$secret" --query SecretString --output text >"\$RUNTIME_DIRECTORY/\$file.new"
  if cmp -s "\$RUNTIME_DIRECTORY/\$file.new" "\$RUNTIME_DIRECTORY/\$file"; then
    rm "\$RUNTIME_DIRECTORY/\$file.new"
  else
    mv "\$RUNTIME_DIRECTORY/\$file.new" "\$RUNTIME_DIRECTORY/\$file"
  fi
done <"$root/etc/spotter/secrets"
END
chmod 755 "$root/usr/local/bin/spotter-secrets"

# A worker that was told to go ends well, and its machine is ended; started again, it would come back before that.
restart=always
[ "$role" = gateway ] || restart=on-failure
cat >"$root/etc/systemd/system/spotter.service" <<END
[Unit]
Description=Spotter, $role
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
User=spotter
EnvironmentFile=$root/etc/spotter/environment
RuntimeDirectory=spotter
RuntimeDirectoryMode=0700
StateDirectory=spotter
StateDirectoryMode=0700
LogsDirectory=spotter
WorkingDirectory=/var/lib/spotter
ExecStartPre=$root/usr/local/bin/spotter-secrets
ExecStart=$root/opt/spotter/spotter $command
Restart=$restart
RestartSec=5
# A worker that is told to stop finishes the job that it runs.
KillMode=mixed
TimeoutStopSec=90
NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true
StandardOutput=append:/var/log/spotter/$role.log
StandardError=inherit

[Install]
WantedBy=multi-user.target
END

# Keys that are revoked must not need a restart.
cat >"$root/etc/systemd/system/spotter-secrets.service" <<END
[Unit]
Description=Secrets for Spotter

[Service]
Type=oneshot
User=spotter
EnvironmentFile=$root/etc/spotter/environment
Environment=RUNTIME_DIRECTORY=/run/spotter
ExecCondition=/usr/bin/test -d /run/spotter
ExecStart=$root/usr/local/bin/spotter-secrets
END
cat >"$root/etc/systemd/system/spotter-secrets.timer" <<END
[Unit]
Description=Fetches changed secrets for Spotter

[Timer]
OnActiveSec=5min
OnUnitActiveSec=5min

[Install]
WantedBy=timers.target
END
cat >"$root/etc/logrotate.d/spotter" <<END
/var/log/spotter/*.log {
  size 50M
  rotate 4
  compress
  copytruncate
  missingok
}
END

if [ -n "$ready_hook" ]; then
  # At every start: one that the group takes from its warm pool is asked again.
  cat >"$root/etc/systemd/system/spotter-ready.service" <<END
[Unit]
Description=Tells the group that this machine is ready
Wants=network-online.target
After=network-online.target spotter.service
# A start that nobody waits for is refused each time.
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=oneshot
EnvironmentFile=$root/etc/spotter/environment
ExecStart=$(command -v aws) autoscaling complete-lifecycle-action --lifecycle-hook-name $ready_hook --auto-scaling-group-name $stack-workers --instance-id $instance --lifecycle-action-result CONTINUE
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
END
fi

systemctl daemon-reload
systemctl enable --now spotter.service spotter-secrets.timer

# Logs and metrics come after the service: it works without them.
agent=$root/opt/aws/amazon-cloudwatch-agent
again dnf install -y amazon-cloudwatch-agent
mkdir -p "$agent/etc"
cat >"$agent/etc/spotter.json" <<END
{
  "agent": { "region": "$region" },
  "logs": { "logs_collected": { "files": { "collect_list": [
    { "file_path": "/var/log/spotter/$role.log", "log_group_name": "$log_group", "log_stream_name": "$instance" },
    { "file_path": "/var/log/cloud-init-output.log", "log_group_name": "$log_group", "log_stream_name": "$instance/boot" }
  ] } } },
  "metrics": {
    "namespace": "Spotter",
    "append_dimensions": { "InstanceId": "\${aws:InstanceId}" },
    "metrics_collected": {
      "mem": { "measurement": ["used_percent"] },
      "disk": { "measurement": ["used_percent"], "resources": ["/"], "drop_device": true }
    }
  }
}
END
"$agent/bin/amazon-cloudwatch-agent-ctl" -a fetch-config -m ec2 -s -c "file:$agent/etc/spotter.json"

# A rolling update waits for this. Otherwise nobody does, and it is refused.
if [ "$role" = gateway ]; then
  again curl --silent --fail --output /dev/null "http://127.0.0.1:$port/healthz"
  aws cloudformation signal-resource --stack-name "$stack" --logical-resource-id "$group" --unique-id "$instance" --status SUCCESS ||
    echo "boot: nobody waits for this machine" >&2
fi

# Not before all of this is done: a machine of a warm pool is stopped then.
if [ -n "$ready_hook" ]; then
  systemctl enable --now spotter-ready.service
fi
