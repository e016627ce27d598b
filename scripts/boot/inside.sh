#!/bin/bash
# Inside a booted system: the life of the package, one line a check. See scripts/test-boot.sh.
cd /boot-test || exit 1
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
config=/etc/signd/signd.toml

# Runs a command; says whether it succeeded.
check() {
    local name=$1
    shift
    if "$@" >/tmp/said 2>&1; then
        echo "ok      $name"
    else
        echo "FAILED  $name"
        sed 's/^/        /' /tmp/said | tail -5
        systemctl show signd -p ActiveState,SubState,Result,ExecMainStatus,StatusText,NRestarts
    fi
}
not() { ! "$@"; }
show() { systemctl show signd --value -p "$1"; }
is() { [ "$(show "$1")" = "$2" ] || { echo "$1 is $(show "$1"), expected $2"; return 1; }; }
status_has() { show StatusText | grep -q "$1" || { show StatusText; return 1; }; }
# Tries a condition for as many seconds.
within() {
    local left=$((10 * $1))
    shift
    until "$@"; do
        [ $((left -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}
set_key() { sed -i "s|^$1 = .*|$1 = $2|" "$config"; }
# GET of the HTTP endpoint without a client, which a minimal Debian does not have.
get() (
    exec 3<>/dev/tcp/127.0.0.1/5558
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:5558\r\nConnection: close\r\n\r\n' "$1" >&3
    timeout 5 cat <&3
)
get_has() { get "$1" >/tmp/got && grep -q "$2" /tmp/got || { head -20 /tmp/got; return 1; }; }
told() { journalctl --sync; journalctl -q -u signd -o cat; }

version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
systemctl --version | head -1

# Install.
check "installs" dpkg -i debs/1.deb
check "is started and ready" is ActiveState active
check "is enabled" systemctl is-enabled signd
check "says which model it runs and where it listens" status_has "model .* frames at tcp://127.0.0.1:5556"
pid=$(show MainPID)
check "runs without root" test "$(stat -c %u "/proc/$pid")" -ge 61184
check "runs without privileges and with a system call filter" \
    grep -Pqz '(?s)CapBnd:\t0+\n.*NoNewPrivs:\t1\nSeccomp:\t2' "/proc/$pid/status"
check "no key is no error" test ! -e /run/credentials/signd.service/signd.key
check "systemd knows every setting of the unit" \
    sh -c 'said=$(systemd-analyze verify --man=no signd.service 2>&1) && echo "$said" && test -z "$said"'
check "is exposed by 1.2 at most" systemd-analyze security --no-pager --threshold=12 signd
grep Overall /tmp/said
if [ "$version" -ge 254 ]; then
    check "waits longer for each restart" is RestartSteps 5
    check "up to a minute" is RestartMaxDelayUSec 1min
else
    check "waits as long for each restart" is RestartUSec 5s
    check "without a drop-in" test -z "$(show DropInPaths)"
fi

# Seeing inside.
check "answers /healthz" get_has /healthz "^HTTP/1.1 200"
check "answers /readyz" get_has /readyz "^HTTP/1.1 200"
check "answers /metrics" get_has /metrics "^signd_model_info"
signd doctor --config "$config" --wait 1 >/tmp/found 2>&1
check "doctor finds the daemon" grep "signd is running (process $(show MainPID))" /tmp/found
check "and nothing wrong but the missing camera" test "$(grep -o 'WRONG *[a-z]*' /tmp/found)" = "WRONG frames"
sed 's/^/        /' /tmp/found

# The operator's edits, and quicker times than an operator would choose.
set_key path '"run.mcap"'
mkdir -p /etc/systemd/system/signd.service.d
printf '[Service]\nWatchdogSec=4\nRestartSec=1\n' >/etc/systemd/system/signd.service.d/test.conf
systemctl daemon-reload
check "restarts" systemctl restart signd

# Frames through it.
signd watch >watched 2>&1 &
watch=$!
sleep 1
check "takes a recording in" timeout 120 signd send signer.mcap
sleep 1
kill $watch
check "decides signs" grep -q "SIGN hello" watched
check "counts them" get_has /metrics '^signd_decisions_total{.*known.* [1-9]'
grep SIGN watched

# Idle: alive by tokens.
fed=$(show WatchdogTimestampMonotonic)
sleep 3
check "feeds the watchdog while idle" test "$(show WatchdogTimestampMonotonic)" -gt "$fed"
sleep 4
check "and lives longer than its interval" is NRestarts 0

# Reload.
pid=$(show MainPID)
check "reloads" systemctl reload signd
check "and says so" within 5 status_has "^reloaded: model"
set_key max_streams 0 # out of its range
check "systemctl reload refuses a bad configuration" not systemctl reload signd
systemctl kill -s HUP --kill-whom=main signd
check "SIGHUP with one is refused in words" within 5 status_has "^not reloaded.*max_streams"
check "and the daemon goes on" is MainPID "$pid"
check "active" is ActiveState active
set_key max_streams 64
check "reloads again" systemctl reload signd
check "and says so" within 5 status_has "^reloaded: model"

# The journal.
check "fields are in the journal" sh -c \
    "journalctl --sync; journalctl -q -u signd -o cat SIGND_PUBLISH=tcp://127.0.0.1:5557 PRIORITY=6 | grep -q ready"
check "errors have their priority" sh -c "journalctl -q -u signd -o cat -p err | grep -q 'not reloaded'"

# Stop, and what was recorded in the sandbox is what a replay outside of it says.
check "stops" systemctl stop signd
check "cleanly" is Result success
check "decides before it ends" sh -c "journalctl --sync; journalctl -q -u signd -o cat | grep -q 'ended: received='"
told | grep 'ended: received=' | tail -1
check "what the sandbox computed is what a replay computes" \
    sh -c "signd replay --verify /var/lib/signd/run.1.mcap || signd replay --verify /var/lib/signd/run.mcap"
tail -1 /tmp/said
check "its recording is not for others" test "$(stat -Lc %a /var/lib/signd)" = 750

# The watchdog.
systemctl start signd
pid=$(show MainPID)
kill -STOP "$pid"
check "a process that stands still is killed and restarted" within 30 is NRestarts 1
check "and is ready again" within 10 is ActiveState active
check "by the watchdog" sh -c "journalctl --sync; journalctl -q -u signd -o cat | grep -q 'Watchdog timeout'"
pid=$(show MainPID)
kill -KILL "$pid"
check "a crash is restarted" within 15 is NRestarts 2
if [ "$version" -ge 254 ]; then
    check "the next wait would be longer: 60^(2/5) s" sh -c "systemctl show signd -p RestartUSecNext | grep '=5.1'"
fi

# What no restart mends.
set_key max_streams 0
check "a bad configuration does not start" not systemctl restart signd
sleep 3
check "ends with 78" is ExecMainStatus 78
check "and is not tried again" is ActiveState failed
check "the reason is in the journal as an error" sh -c "journalctl --sync; journalctl -q -u signd -o cat -p err | grep -q 'max_streams = 0'"
set_key max_streams 64

# A key, and ipc.
install -d -m 700 /etc/credstore
check "makes a key" signd keygen /etc/credstore/signd.key
public=$(cat /tmp/said)
set_key publish '"ipc:///run/signd/events"'
# Loopback asks for the key too, so that it is seen to be in use.
install -d -m 700 /tmp/camera
camera=$(signd keygen /tmp/camera/key)
set_key loopback true
printf '[keys.clients.camera]\nkey = "%s"\npublish = ["*"]\n' "$camera" >>"$config"
check "starts with a key and an ipc endpoint" systemctl restart signd
check "the key is handed over" cmp /etc/credstore/signd.key /run/credentials/signd.service/signd.key
check "not for others" sh -c 'case $(stat -c %a /run/credentials/signd.service/signd.key) in 4?0) ;; *) stat /run/credentials/signd.service/signd.key; exit 1;; esac'
check "the ipc endpoint is there" test -S /run/signd/events
check "not for others" test "$(stat -c %a /run/signd)" = 750
stat -c '%a %n' /run/signd /run/signd/events
timeout 10 signd send signer.mcap >/tmp/said 2>&1
check "frames without a key are not let in" get_has /metrics '^signd_frames_received_total 0'
check "frames with a listed one are" \
    timeout 120 signd send --key /tmp/camera/key --daemon-key "$public" signer.mcap
check "and counted" get_has /metrics '^signd_frames_received_total [1-9]'
rm -r /etc/credstore/signd.key /tmp/camera
set_key loopback false
sed -i '/^.keys.clients.camera.$/,$d' "$config"

# Upgrade.
pid=$(show MainPID)
check "upgrades" dpkg -i debs/2.deb
check "is the new version" sh -c "dpkg -s signd | grep -q '^Version: .*-9$'"
check "keeps the operator's edits" grep -q '^path = "run.mcap"' "$config"
check "is restarted" not is MainPID "$pid"
check "and ready" is ActiveState active

# Remove and purge.
rm -r /etc/systemd/system/signd.service.d
check "is removed" dpkg -r signd
check "and stopped" not systemctl is-active signd
check "its configuration stays" test -e "$config"
check "its recordings stay" test -e /var/lib/private/signd/run.mcap
check "its program does not" test ! -e /usr/bin/signd
check "is purged" dpkg -P signd
left=$(find / -xdev -path /proc -prune -o -path /boot-test -prune -o -name '*signd*' -print)
check "nothing is left" test -z "$left"
echo "$left"

journalctl -q -u signd -o short >journal
echo "done"
