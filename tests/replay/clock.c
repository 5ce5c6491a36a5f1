/*
 * A clock that a test can put forward, for replayed scenarios: loaded before the C library into every process of a
 * gateway, it adds the nanoseconds in the file named by POSTERN_TEST_CLOCK to what the wall clock and the monotonic
 * one say, and takes them off again where a moment is handed to the kernel. No part of the product.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { S = 1000000000 };

static const volatile int64_t *ahead;
static int (*real_timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

__attribute__((constructor)) static void begin(void)
{
	static const int64_t none;
	const char *path = getenv("POSTERN_TEST_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p = fd >= 0 ? mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

	ahead = p == MAP_FAILED ? &none : p;
	if (fd >= 0)
		close(fd);
	*(void **)&real_timedwait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
}

static void add(struct timespec *t, int64_t ns)
{
	int64_t all = t->tv_sec * (int64_t)S + t->tv_nsec + ns;

	t->tv_sec = all / S;
	t->tv_nsec = all % S;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	if (syscall(SYS_clock_gettime, id, t) != 0)
		return -1;
	if (ahead && id != CLOCK_PROCESS_CPUTIME_ID && id != CLOCK_THREAD_CPUTIME_ID)
		add(t, *ahead);
	return 0;
}

time_t time(time_t *r)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (r)
		*r = t.tv_sec;
	return t.tv_sec;
}

int gettimeofday(struct timeval *restrict r, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	r->tv_sec = t.tv_sec;
	r->tv_usec = t.tv_nsec / 1000;
	return 0;
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *at, struct timespec *left)
{
	struct timespec t = *at;

	if (flags & TIMER_ABSTIME)
		add(&t, -*ahead);
	return syscall(SYS_clock_nanosleep, id, flags, &t, left) == 0 ? 0 : errno;
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict c, pthread_mutex_t *restrict m, const struct timespec *restrict until)
{
	struct timespec t = *until;

	add(&t, -*ahead);
	return real_timedwait(c, m, &t);
}
