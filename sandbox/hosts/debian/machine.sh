#!/bin/sh
# Runs one Debian host in the foreground. Started inside new mount and network namespaces, so that the overlay, the
# interface and every other trace are gone when the last process is.
# machine.sh DIR LAYERS NAME IPV4 GATEWAY LAN-NAMESPACE PORT-NAME CGROUP [DISK]
set -eu
dir=$1 layers=$2 name=$3 ipv4=$4 gateway=$5 lan=$6 port=$7 cgroup=$8 disk=${9:-}

# A pure view of the unified hierarchy: this computer may also have the older one mounted there.
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$cgroup"
echo $$ >"/sys/fs/cgroup/$cgroup/cgroup.procs"

ip link set lo up
nsenter --net="$lan" ip link del "$port" 2>/dev/null || true
nsenter --net="$lan" ip link add "$port" type veth peer name eth0 netns $$
nsenter --net="$lan" ip link set "$port" master br0 up
ip addr add "$ipv4/24" dev eth0
ip link set eth0 up
ip route add default via "$gateway"

# With a file system of its own, what the host writes goes there, and it is full when that is.
top=$dir
if [ -n "$disk" ]; then
	top=$dir/disk
	mkdir -p "$top"
	mount -o loop "$disk" "$top"
	mkdir -p "$top/upper" "$top/work"
	layers=$dir/upper:$layers
fi
mount -t overlay overlay -o "lowerdir=$layers,upperdir=$top/upper,workdir=$top/work" "$dir/root"

# systemd-nspawn refuses to clean this up at a reboot when /run is not a tmpfs.
mkdir -p /run/systemd/nspawn
mount -t tmpfs none /run/systemd/nspawn

export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network # net.* sysctls may be set inside
again=133                                      # what systemd-nspawn says with --keep-unit when the host wants to reboot
status=$again
while [ "$status" = "$again" ]; do
	status=0
	systemd-nspawn --quiet --register=no --keep-unit --network-namespace-path="/proc/$$/ns/net" \
		--directory="$dir/root" --machine="$port" --hostname="$name" --resolv-conf=off --timezone=off \
		--link-journal=no --console=read-only --capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYSLOG --boot \
		systemd.journald.forward_to_console=1 systemd.show_status=0 || status=$?
done
exit "$status"
