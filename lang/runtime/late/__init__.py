"""Libraries of the core that few programs need: each is loaded when one of its names is first
looked up, and can be imported as a module, too."""

from __future__ import annotations

from typing import Final

from lang.modules import ModuleName

MODULES: Final[dict[ModuleName, tuple[str, str]]] = {
    ("guile", "objects"): (
        "lang.runtime.late.objects",
        """
        make-hook hook? hook-empty? add-hook! remove-hook! reset-hook! hook->list run-hook
        make-object-property object-properties symbol-properties set-object-properties!
        object-property symbol-property set-object-property! set-symbol-property! make-variable
        make-undefined-variable variable? variable-bound? variable-ref variable-set!
        variable-unset! copy-tree symbol-property-remove!
        """,
    ),
    ("guile", "arrays"): (
        "lang.runtime.late.arrays",
        """
        make-array make-typed-array array? typed-array? array-type array-rank array-length
        array-dimensions array-shape array-in-bounds? array-ref array-set! array-fill!
        array-copy! array-copy-in-order! array->list list->array list->typed-array array-equal?
        array-map! array-map-in-order! array-for-each array-index-map! transpose-array
        make-shared-array array-slice array-cell-ref array-cell-set! array-slice-for-each
        array-slice-for-each-in-order
        """,
    ),
    ("guile", "bitvectors"): (
        "lang.runtime.late.bitvectors",
        """
        bitvector? make-bitvector bitvector list->bitvector bitvector->list bitvector-length
        bitvector-ref bitvector-bit-set? bitvector-bit-clear? bitvector-set! bitvector-set-bit!
        bitvector-clear-bit! bitvector-fill! bitvector-set-all-bits! bitvector-clear-all-bits!
        bitvector-flip-all-bits! bitvector-set-bits! bitvector-clear-bits! bitvector-count
        bitvector-count-bits bitvector-position bitvector-copy
        """,
    ),
    ("guile", "constants"): (
        "lang.runtime.late.constants",
        """
        EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES
        EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY
        ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLOCK ENAMETOOLONG ENOLCK
        ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI
        EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EBFONT ENOSTR ENODATA ETIME ENOSR
        ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG
        EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ
        ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT
        EPROTONOSUPPORT ESOCKTNOSUPPORT ENOTSUP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE
        EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN
        ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY
        EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE
        ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL
        EWOULDBLOCK EDEADLK EOPNOTSUPP SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS
        SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT
        SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO
        SIGPWR SIGSYS SIGRTMIN SIGRTMAX SIGCLD SIGPOLL SIGIOT NSIG SA_NOCLDSTOP SA_RESTART
        WNOHANG WUNTRACED O_NDELAY O_ASYNC O_DIRECT O_NOATIME O_PATH O_TMPFILE O_CLOEXEC
        O_DIRECTORY O_NOFOLLOW O_NONBLOCK O_NOCTTY O_SYNC PRIO_PROCESS PRIO_PGRP PRIO_USER
        LOCK_SH LOCK_EX LOCK_UN LOCK_NB F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL FD_CLOEXEC
        AF_UNSPEC PF_UNSPEC AF_UNIX PF_UNIX AF_INET PF_INET AF_INET6 PF_INET6 SOCK_STREAM
        SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET SOCK_CLOEXEC SOCK_NONBLOCK SO_REUSEPORT
        SO_TYPE SO_DEBUG SO_DONTROUTE SO_LINGER SO_OOBINLINE SO_PRIORITY TCP_CORK MSG_OOB
        MSG_DONTROUTE MSG_DONTWAIT AI_PASSIVE AI_CANONNAME AI_NUMERICHOST AI_NUMERICSERV
        AI_V4MAPPED AI_ALL AI_ADDRCONFIG IPPROTO_IP IPPROTO_TCP IPPROTO_UDP SOL_SOCKET
        SO_REUSEADDR SO_KEEPALIVE SO_BROADCAST SO_RCVBUF SO_SNDBUF SO_ERROR TCP_NODELAY MSG_PEEK
        INADDR_ANY INADDR_LOOPBACK INADDR_BROADCAST INADDR_NONE WAIT_ANY WAIT_MYPGRP PIPE_BUF
        *null-device*
        """,
    ),
    ("guile", "processes"): (
        "lang.runtime.late.processes",
        """
        current-processor-count total-processor-count kill raise-signal getppid getpgrp setpgid
        setsid getsid nice setuid setgid seteuid setegid chroot sync alarm pause getpriority
        setpriority primitive-fork primitive-_exit getgroups waitpid execl execlp execle
        sigaction SIG_DFL SIG_IGN times utsname:sysname utsname:nodename utsname:release
        utsname:version utsname:machine passwd:name passwd:passwd passwd:uid passwd:gid
        passwd:gecos passwd:dir passwd:shell group:name group:passwd group:gid group:mem
        tms:clock tms:utime tms:stime tms:cutime tms:cstime uname getpw getpwnam getpwuid getgr
        getgrnam getgrgid getlogin sethostname
        """,
    ),
    ("guile", "descriptors"): (
        "lang.runtime.late.descriptors",
        """
        fileno port->fdes fdopen open-fdes open open-io-file close-fdes pipe dup->fdes dup2 dup
        dup->port duplicate-port dup->inport fdes->inport dup->outport fdes->outport fsync flock
        fcntl isatty? mkstemp! mkstemp tmpfile tmpnam mknod with-error-to-file mkdtemp!
        file-port?
        """,
    ),
    ("guile", "sockets"): (
        "lang.runtime.late.sockets",
        """
        socket socketpair make-socket-address sockaddr:fam sockaddr:addr sockaddr:path
        sockaddr:port inet-pton inet-ntop inet-makeaddr inet-netof inet-lnaof getaddrinfo
        addrinfo:flags addrinfo:fam addrinfo:socktype addrinfo:protocol addrinfo:addr
        addrinfo:canonname connect bind listen accept shutdown getsockname getpeername
        setsockopt getsockopt send recv! select
        """,
    ),
    ("guile", "passwords"): ("lang.runtime.late.passwords", "crypt"),
    ("guile", "soft-ports"): (
        "lang.runtime.late.soft_ports",
        """
        make-soft-port make-custom-binary-input-port make-custom-binary-output-port
        make-custom-binary-input/output-port
        """,
    ),
}
"""For each module: the Python module that holds its LIBRARY, and the names in it."""

ELSEWHERE: Final[dict[ModuleName, str]] = {
    ("ice-9", "regex"): """
        make-regexp regexp? regexp-exec regexp/basic regexp/extended regexp/icase regexp/newline
        regexp/notbol regexp/noteol
        """,
}
"""For each module that is no part of the core, what Guile has of it in the core."""
