/*
 * walljump: a wall clock that a test can move under a running process.
 *
 * Rules of this file:
 * 1. Only the wall clock moves: CLOCK_REALTIME, its coarse twin, and what the C library derives from it. The monotonic
 *    clocks and every timer of the kernel go on untouched. That is what a process sees of a suspend on Linux, and of a
 *    clock that was set.
 * 2. The offset is one 64-bit integer, whole seconds, in the file that WALLJUMP names. The file is mapped, so one store
 *    by the test moves all its processes at once, children included.
 * 3. Told to move the clock and not able to, the process aborts: on the true clock a test would prove nothing.
 * 4. The kernel is asked directly, so nothing has to be looked up and a call before the constructor is harmless.
 *
 * Build: gcc -shared -fPIC -O2 -o walljump.so walljump.c; use: LD_PRELOAD=walljump.so WALLJUMP=offset program
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t unmoved = 0;
static const volatile int64_t *seconds_ahead = &unmoved;

__attribute__((constructor)) static void find_offset(void)
{
	const char *path = getenv("WALLJUMP");
	if (path == NULL)
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *page = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		abort();
	close(fd);
	seconds_ahead = page;
}

int clock_gettime(clockid_t clock, struct timespec *when)
{
	int failed = (int)syscall(SYS_clock_gettime, clock, when);
	if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		when->tv_sec += *seconds_ahead;
	return failed;
}

int gettimeofday(struct timeval *restrict when, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	when->tv_sec = now.tv_sec;
	when->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *when)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (when != NULL)
		*when = now.tv_sec;
	return now.tv_sec;
}
