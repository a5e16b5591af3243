#!/bin/sh
# The first process of the initial file tree: finds the root file system that the kernel's command
# line names, mounts it and starts its init. What it understands there:
#
#   root=UUID=…, LABEL=…, PARTLABEL=…, /dev/…, or PARTUUID=… where the kernel tells it
#   rootfstype=TYPE  rootflags=OPTIONS  ro  rw  init=PATH
#   kiln.image=PATH   the root is in this file (squashfs, EROFS ...) of the file system that root= names
#   kiln.volatile=1   keep what is written in memory, and the root file system read-only
#   kiln.rootwait=S   wait S seconds for the root file system (30)
#   kiln.debug        show each command
#   break             a shell before the root file system is looked for

export PATH=/bin:/sbin
root= fstype= flags= access=rw init=/sbin/init image=
volatile=0 patience=30 debug=0 pause=0 reboots=0

mount -t proc -o nosuid,noexec,nodev proc /proc
mount -t sysfs -o nosuid,noexec,nodev sys /sys
mount -t devtmpfs -o nosuid,mode=0755 dev /dev
mount -t tmpfs -o nosuid,nodev,mode=0755 run /run
mkdir -p /run/kiln

note() { echo "<6>kiln: $*" >/dev/kmsg; }

# A failure is told on every console, whatever the log level is.
tell() {
    for console in $(cat /sys/class/tty/console/active); do
        echo "kiln: $*" >"/dev/$console"
    done
}

# With panic=N the machine is meant to look after itself: init ends, the kernel reboots.
give_up() {
    tell "$@"
    [ "$reboots" = 1 ] && exit 1
    tell "This is a shell in the initial file tree. Mount the root at /newroot and leave it to go on."
    setsid cttyhack sh
}

# One parameter a line; as for the kernel, a blank between double quotes does not end one.
parameters() {
    awk '{
        for (i = 1; i <= length($0); i++) {
            c = substr($0, i, 1)
            if (c == "\"") quoted = !quoted
            else if (c == " " && !quoted) printf "\n"
            else printf "%s", c
        }
    }' /proc/cmdline
    echo
}

while read -r parameter; do
    value=${parameter#*=}
    case $parameter in
        root=*) root=$value ;;
        rootfstype=*) fstype=$value ;;
        rootflags=*) flags=$value ;;
        ro | rw) access=$parameter ;;
        init=*) init=$value ;;
        panic=*) reboots=1 ;;
        kiln.image=*) image=$value ;;
        kiln.volatile=*) volatile=$value ;;
        kiln.rootwait=*) patience=$value ;;
        kiln.debug | kiln.debug=1) debug=1 ;;
        break) pause=1 ;;
    esac
done <<END
$(parameters)
END
[ "$debug" = 1 ] && set -x

# Load what the devices that are there ask for. New devices appear as drivers are loaded.
asked=
coldplug() {
    asks=$(find /sys/devices -name modalias -exec cat {} + 2>/dev/null | sort -u)
    [ "$asks" = "$asked" ] && return
    asked=$asks
    echo "$asks" | xargs modprobe -qa 2>/dev/null
}

# The device of which the kernel says KEY=VALUE in its uevent file.
device_with() {
    for event in $(grep -lxF "$1=$2" /sys/class/block/*/uevent 2>/dev/null); do
        event=${event%/uevent}
        echo "/dev/${event##*/}"
        return
    done
}

find_root() {
    case $root in
        UUID=* | LABEL=*) findfs "$root" 2>/dev/null ;;
        PARTLABEL=*) device_with PARTNAME "${root#*=}" ;;
        PARTUUID=*) device_with PARTUUID "${root#*=}" ;;
        /dev/*) [ -b "$root" ] && echo "$root" ;;
    esac
}

seconds() {
    read -r up _ </proc/uptime
    echo "${up%%.*}"
}

[ "$pause" = 1 ] && setsid cttyhack sh

note "loading modules"
xargs -r modprobe -a </etc/modules
coldplug

device=
deadline=$(($(seconds) + patience))
while [ -n "$root" ]; do
    device=$(find_root)
    [ -n "$device" ] || [ "$(seconds)" -ge "$deadline" ] && break
    coldplug
    sleep 0.1
done

mount_root() {
    set -- -o "$1${flags:+,$flags}" "$device" "$2"
    [ -n "$fstype" ] && set -- -t "$fstype" "$@"
    mount "$@"
}

# A root that is in a file is read-only; below /run the medium goes along to the new root.
mount_image() {
    mkdir -p /run/kiln/medium
    modprobe -qa loop
    mount_root ro /run/kiln/medium && mount -o ro,loop "/run/kiln/medium/$image" "$1"
}

mount_lower() {
    if [ -n "$image" ]; then mount_image "$1"; else mount_root ro "$1"; fi
}

mount_volatile() {
    cow=/run/kiln/cow
    mkdir -p /run/kiln/lower "$cow"
    modprobe -qa overlay
    mount_lower /run/kiln/lower &&
        mount -t tmpfs -o mode=0755 cow "$cow" &&
        mkdir "$cow/upper" "$cow/work" &&
        mount -t overlay -o "lowerdir=/run/kiln/lower,upperdir=$cow/upper,workdir=$cow/work" \
            overlay /newroot
}

if [ -z "$root" ]; then
    give_up "no root file system: the kernel's command line has no root= parameter"
elif [ -z "$device" ]; then
    give_up "no root file system: $root did not appear within $patience s." \
        "There are: $(cd /sys/class/block && echo *)"
else
    note "root file system: $device"
    if [ "$volatile" = 1 ]; then
        mount_volatile || give_up "cannot mount $root ($device)${image:+, $image} with a volatile overlay"
    elif [ -n "$image" ]; then
        mount_image /newroot || give_up "cannot mount $image of $root ($device)"
    else
        mount_root "$access" /newroot || give_up "cannot mount $root ($device)${fstype:+ as $fstype}"
    fi
fi

# -L: an absolute link is right in the new root only.
[ -e "/newroot$init" ] || [ -L "/newroot$init" ] || give_up "the root file system has no $init"

note "switching to the root file system"
set +x
for tree in dev proc sys run; do
    mkdir -p "/newroot/$tree" 2>/dev/null
    mount --move "/$tree" "/newroot/$tree"
done
exec switch_root /newroot "$init"
