/* A port of loopback that nobody uses. Header only. */
#ifndef POSTERN_TESTS_UNIT_FREE_PORT_H
#define POSTERN_TESTS_UNIT_FREE_PORT_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int free_port_bind(unsigned port, int kind)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (bind(fd, (struct sockaddr *)&in, sizeof in) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Of TCP and of UDP. Below those that the kernel gives to connections that go out: one of these might take it before
 * its server does. */
static inline unsigned free_port(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	unsigned end = 32768, r;

	if (f) {
		if (fscanf(f, "%u", &end) != 1 || end > 32768 || end < 21025)
			end = 32768;
		(void)fclose(f);
	}
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(getrandom(&r, sizeof r, 0), sizeof r);

		unsigned port = end - 20000 + r % 20000;
		int tcp = free_port_bind(port, SOCK_STREAM), udp = free_port_bind(port, SOCK_DGRAM);

		if (tcp >= 0)
			close(tcp);
		if (udp >= 0)
			close(udp);
		if (tcp >= 0 && udp >= 0)
			return port;
	}
	ck_abort_msg("no free port on this machine");
	return 0;
}

#endif
