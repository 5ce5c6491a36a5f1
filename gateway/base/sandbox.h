/*
 * What a role may still do after its start: no_new_privs, not dumpable, Landlock, a seccomp filter. Called once in
 * each child, after warm-up. Fails closed: a kernel without seccomp is fatal; one without Landlock gets a chroot when
 * root, else a warning.
 */
#ifndef POSTERN_BASE_SANDBOX_H
#define POSTERN_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/problem.h"

/* Built with sanitizers: then a few more calls are allowed, with which ASan and UBSan write their reports. */
#ifdef POSTERN_SAN
enum { SANDBOX_SAN = 1 };
#else
enum { SANDBOX_SAN = 0 };
#endif

enum sandbox_net {
	SANDBOX_NET_NONE,
	SANDBOX_NET_CLIENT,	 /* make inet sockets, connect, datagrams (the resolver) */
	SANDBOX_NET_SMTP,	 /* make TCP sockets, connect; accept on inherited listeners */
	SANDBOX_NET_TCP_ACCEPT,	 /* accept on inherited TCP listeners; make no socket, connect nowhere */
	SANDBOX_NET_UNIX_ACCEPT, /* accept on an inherited UNIX listener; no inet */
};

/* The filter is a list of what is allowed. Never on it, for anyone: new programs and processes, ptrace, process_vm_*,
 * signals to others, mount, namespaces, kexec, bpf, io_uring, keyctl, open_by_handle, userfaultfd, bind and listen of
 * listeners, memory that is executable. Inherited descriptors go on working. */
struct sandbox {
	enum sandbox_net net;
	const char *rw_dirs[4];	 /* may open, create, remove files and directories below; NULL-ended; must exist */
	const char *ro_paths[8]; /* may read, or look through; NULL-ended; those that do not exist are left out */
	bool threads;		 /* may start threads (never processes) */
};

/* Raises RLIMIT_NOFILE as far as it goes, sets RLIMIT_CORE 0. In every process, early. */
void sandbox_limits(void);
/* Applies; irreversible. Before threads are started (else -1) and after what needs more: opened listeners, loaded
 * modules, sandbox_become. 0, or -1 with pr (caller makes it fatal: half of it may be in force). */
int sandbox_enter(const struct sandbox *s, struct problem *pr) __attribute__((warn_unused_result));
/* setgroups/setgid/setuid to numeric ids and verify that there is no way back. 0 / -1. */
int sandbox_become(unsigned uid, unsigned gid, struct problem *pr) __attribute__((warn_unused_result));

/* For tests and a role's own proof after its start: tries to open a file, make an inet socket, exec, ptrace, fork,
 * and says which succeeded: bit set = it worked. */
#define SANDBOX_CAN_OPEN 1u
#define SANDBOX_CAN_INET 2u
#define SANDBOX_CAN_EXEC 4u
#define SANDBOX_CAN_PTRACE 8u
#define SANDBOX_CAN_FORK 16u
#define SANDBOX_CAN_WRITE 32u /* create a file in / or /tmp */
unsigned sandbox_probe(void);

#endif
