#!/usr/bin/env bash
# Runs COMMAND as an unprivileged user with a `systemd --user` and a session bus of its own, also where systemd is not
# process 1 (a container). Needs root, systemd and dbus-daemon.
#
#   tests/real/user_manager.sh COMMAND…     HOME and XDG_RUNTIME_DIR are the user's, new and empty
#
# How: a private mount namespace with an empty /run; /run/systemd/system says that systemd is there; a cgroup that
# belongs to the user. Everything goes with the script, the cgroup included.
set -eu
user=65534 # systemd asks the user database: it must be somebody
if [[ ${1-} != --inside ]]; then
    exec unshare --mount --propagation private bash "$0" --inside "$@"
fi
shift
mount -t tmpfs -o mode=755 tmpfs /run
runtime=/run/user/$user
mkdir -p /run/systemd/system /run/lock "$runtime/home/bin"
chown -R $user:$user "$runtime"
chmod 700 "$runtime"

group=ssowatch-test.$$
roots=()
for root in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do # hybrid, or version 2 alone
    [[ -w $root/cgroup.procs ]] || continue
    mkdir -p "$root/$group"
    echo $$ >"$root/$group/cgroup.procs"
    chown -R $user "$root/$group"
    roots+=("$root")
done

as_user() {
    setpriv --reuid $user --regid $user --clear-groups env -i HOME="$runtime/home" XDG_RUNTIME_DIR="$runtime" \
        PATH="$runtime/home/bin:/usr/bin:/bin" "$@"
}

tidy() {
    kill "${started[@]}" 2>/dev/null || true
    wait "${started[@]}" 2>/dev/null || true
    local root pid _
    for root in "${roots[@]}"; do
        echo $$ >"$root/cgroup.procs"
        for _ in {1..50}; do # whatever is left in it goes too
            mapfile -t pids < <(find "$root/$group" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u)
            ((${#pids[@]})) || break
            for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
            sleep 0.1
        done
        find "$root/$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
}
started=()
trap tidy EXIT

as_user dbus-daemon --session --nofork --nopidfile --address="unix:path=$runtime/bus" 2>/dev/null &
started+=($!)
for _ in {1..600}; do
    [[ -S $runtime/bus ]] && break
    sleep 0.1
done
as_user /lib/systemd/systemd --user --log-target=console >"$runtime/systemd.log" 2>&1 &
started+=($!)
for _ in {1..600}; do
    [[ $(as_user systemctl --user is-system-running 2>/dev/null) =~ running|degraded ]] && break
    sleep 0.1
done
code=0
as_user "$@" || code=$?
((code == 0)) || tail -n 40 "$runtime/systemd.log" >&2
exit $code
