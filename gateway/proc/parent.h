/*
 * The parent: holds the configuration file and the listening sockets, starts the other roles by executing itself
 * again, connects them with socketpairs, keeps the sealed key files, and restarts what dies. Parses nothing that came
 * from outside.
 */
#ifndef POSTERN_PROC_PARENT_H
#define POSTERN_PROC_PARENT_H

#include <stdbool.h>

#include "gateway/base/loop.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/permit.h"
#include "gateway/proc/conf.h"
#include "gateway/proc/control_proto.h"

#define PARENT_PROCS_MAX 72
#define PARENT_LISTENERS_MAX 32

struct ipc_chan;
struct parent_rcpts;
enum parent_state { PROC_DEAD, PROC_STARTING, PROC_RUNNING, PROC_STOPPING };
struct parent_proc {
	struct parent *of;
	enum control_role role;
	unsigned index;
	int pid;
	enum parent_state state;
	struct ipc_chan *chan;
	struct loop_timer *timer; /* restart, or the end of patience with a stopping one */
	int64_t started[8];	  /* ms, ring: rate limit of restarts */
	unsigned starts;
	bool again; /* an opener: another one is wanted after it */
};
enum parent_goal { PARENT_RUN, PARENT_RELOAD, PARENT_STOP };
struct parent {
	struct loop *loop;
	const char *file;
	char *text;
	size_t text_len;
	struct conf *conf;
	struct parent_rcpts *rcpts; /* what it read besides, for relay and scout */
	int listen[PARENT_LISTENERS_MAX];
	char *listen_at[PARENT_LISTENERS_MAX];
	size_t nlisten;
	int control;
	struct parent_proc procs[PARENT_PROCS_MAX];
	size_t nprocs;
	enum parent_goal goal;
	enum keys_state keeper;
	unsigned keys;
	bool said_ready;
	bool unsealing; /* the keeper was started and given the passphrase; it has not yet said what came of it */
	struct loop_timer *passphrase;
	struct { /* parent_watch.c */
		struct loop_timer *timer;
		int pid; /* of the keeper that was asked */
		uint32_t id;
		int64_t asked, first; /* ms: the last time, and since when no answer has come */
		bool waiting, twice;
	} watch;
	int64_t began;
	uint8_t permit[PERMIT_KEY]; /* of judge and relay */
};

/* `posternd -c FILE` without a role: returns the exit status (0 after SIGTERM, 78 for a bad configuration, 1 else).
 */
int parent_main(const char *file);
/* posternd -t: checks the configuration, prints what is wrong; 0 / 78. */
int parent_check(const char *file);

#endif
