/*
 * The event loop: a thin face on libevent, so that sessions and timers read the same everywhere.
 * One loop belongs to one thread. relay, judge, scout, admin, parent.
 */
#ifndef POSTERN_BASE_LOOP_H
#define POSTERN_BASE_LOOP_H

#include <stdint.h>

struct event_base;
struct loop;
struct loop_io;
struct loop_timer;

#define LOOP_READ 1u
#define LOOP_WRITE 2u

struct loop *loop_new(void);
/* All ios and timers must be freed before. What is posted and has not run is dropped. */
void loop_free(struct loop *l);
/* Runs until loop_stop; when that was called before, returns at once. */
void loop_run(struct loop *l);
/* One round: waits for at least one event at most wait_ms (0: does not wait; <0: without limit). */
void loop_once(struct loop *l, int64_t wait_ms);
void loop_stop(struct loop *l);
/* For libunbound (ub_ctx_create_event). */
struct event_base *loop_base(struct loop *l);

/* Monotonic milliseconds. */
int64_t loop_now_ms(void);

/* Watches fd (not owned). fn gets LOOP_READ or LOOP_WRITE; when both happened it is called twice. It may free the io.
 * Nothing is watched until loop_io_want. A closed or failed fd counts as readable and writable. Free the io before fd
 * is closed. */
struct loop_io *loop_io_new(struct loop *l, int fd, void (*fn)(void *ctx, int fd, unsigned got), void *ctx);
void loop_io_want(struct loop_io *io, unsigned events);
void loop_io_free(struct loop_io *io);

/* A one-shot timer, off at birth. fn may set it again or free it. */
struct loop_timer *loop_timer_new(struct loop *l, void (*fn)(void *ctx), void *ctx);
void loop_timer_set(struct loop_timer *t, int64_t ms);
void loop_timer_off(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

/* Calls fn once from the loop, soon, not from inside the caller. */
void loop_soon(struct loop *l, void (*fn)(void *ctx), void *ctx);
/* As loop_soon, but may be called from any thread (wakes the loop). */
void loop_post(struct loop *l, void (*fn)(void *ctx), void *ctx);

/* Runs fn on a signal (SIGTERM, SIGHUP, SIGCHLD) in the loop's own context. Freed with the loop. */
void loop_on_signal(struct loop *l, int signo, void (*fn)(void *ctx, int signo), void *ctx);

#endif
