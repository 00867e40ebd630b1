"""The system calls that a reader process has no use for, with their numbers."""

from __future__ import annotations

LAST = 469
"""The newest call known here (Linux 6.18); to later ones the answer is that there is none."""

REFUSED = """
    socket 41 198            socketpair 53 199        connect 42 203           bind 49 200
    listen 50 201            accept 43 202            accept4 288 242          sendto 44 206
    sendmsg 46 211           sendmmsg 307 269         recvfrom 45 207          recvmmsg 299 243

    execve 59 221            execveat 322 281         fork 57 -                vfork 58 -
    uselib 134 -

    ptrace 101 117           process_vm_readv 310 270 process_vm_writev 311 271
    kcmp 312 272             process_madvise 440 440  process_mrelease 448 448
    pidfd_open 434 434       pidfd_getfd 438 438      pidfd_send_signal 424 424
    kill 62 129              tkill 200 130            rt_sigqueueinfo 129 138
    rt_tgsigqueueinfo 297 240 setpriority 141 140     ioprio_set 251 30
    sched_setscheduler 144 119 sched_setparam 142 118 sched_setattr 314 274
    migrate_pages 256 238    move_pages 279 239       get_robust_list 274 100

    creat 85 -               mkdir 83 -               mkdirat 258 34           rmdir 84 -
    rename 82 -              renameat 264 38          renameat2 316 276        link 86 -
    linkat 265 37            symlink 88 -             symlinkat 266 36         unlink 87 -
    unlinkat 263 35          mknod 133 -              mknodat 259 33           truncate 76 45
    ftruncate 77 46          fallocate 285 47         chmod 90 -               fchmod 91 52
    fchmodat 268 53          fchmodat2 452 452        chown 92 -               fchown 93 55
    lchown 94 -              fchownat 260 54          utime 132 -              utimes 235 -
    utimensat 280 88         futimesat 261 -          setxattr 188 5           lsetxattr 189 6
    fsetxattr 190 7          setxattrat 463 463       removexattr 197 14       lremovexattr 198 15
    fremovexattr 199 16      removexattrat 466 466    file_setattr 469 469     quotactl 179 60
    quotactl_fd 443 443      inotify_init 253 -       inotify_init1 294 26     fanotify_init 300 262
    name_to_handle_at 303 264 open_by_handle_at 304 265

    io_uring_setup 425 425   io_uring_enter 426 426   io_uring_register 427 427
    bpf 321 280              perf_event_open 298 241  userfaultfd 323 282      modify_ldt 154 -
    keyctl 250 219           add_key 248 217          request_key 249 218
    mount 165 40             umount2 166 39           pivot_root 155 41        chroot 161 51
    move_mount 429 429       open_tree 428 428        open_tree_attr 467 467   fsopen 430 430
    fsconfig 431 431         fsmount 432 432          fspick 433 433           mount_setattr 442 442
    unshare 272 97           setns 308 268            personality 135 92       memfd_secret 447 447
    init_module 175 105      finit_module 313 273     delete_module 176 106
    kexec_load 246 104       kexec_file_load 320 294  reboot 169 142           vhangup 153 58
    swapon 167 224           swapoff 168 225          acct 163 89              syslog 103 116
    sethostname 170 161      setdomainname 171 162    settimeofday 164 170
    clock_settime 227 112    clock_adjtime 305 266    adjtimex 159 171
    iopl 172 -               ioperm 173 -             nfsservctl 180 42        lookup_dcookie 212 18

    setuid 105 146           setgid 106 144           setreuid 113 145         setregid 114 143
    setresuid 117 147        setresgid 119 149        setfsuid 122 151         setfsgid 123 152
    setgroups 116 159        setsid 112 157           setpgid 109 154

    shmget 29 194            shmat 30 196             shmctl 31 195            semget 64 190
    semop 65 193             semtimedop 220 192       semctl 66 191            msgget 68 186
    msgsnd 69 189            msgrcv 70 188            msgctl 71 187
    mq_open 240 180          mq_unlink 241 181
"""
"""Name, number on x86_64, number on aarch64 or `-`: the network; new programs and processes; other
processes; changing files, their names and their metadata, and ways past a path; the kernel's own
matters; who this process is; memory and messages shared between processes."""

WITH_ARGUMENTS = """
    clone 56 220    clone3 435 435    open 2 -         openat 257 56    openat2 437 437
    tgkill 234 131  ioctl 16 29       prctl 157 167    prlimit64 302 261
    fcntl 72 25
"""
"""Refused or not by what they are asked to do; see seccomp.py."""


def numbers(table: str, column: int) -> dict[str, int]:
    """Name to number of a table above on one machine (kernel.machine_column)."""
    words = table.split()
    rows = zip(words[::3], words[1::3], words[2::3], strict=True)
    found = {name: (first, second)[column] for name, first, second in rows}
    return {name: int(number) for name, number in found.items() if number != "-"}
