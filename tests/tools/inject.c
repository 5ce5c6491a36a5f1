/*
 * Sends the message on standard input to HOST PORT from SENDER to RECIPIENT over SMTP, lines made CRLF, dots doubled.
 * The end of the hand-made Postfix filter that `make bench` measures against. Exit 0 accepted, 75 otherwise.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static FILE *in, *out;

static void expect(char good)
{
	char line[2048];

	fflush(out);
	do {
		if (fgets(line, sizeof(line), in) == NULL || line[0] != good)
			exit(75);
	} while (strlen(line) > 3 && line[3] == '-');
}

static void body(void)
{
	static char line[1 << 20];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		size_t n = strcspn(line, "\r\n");

		line[n] = '\0';
		fprintf(out, "%s%s\r\n", line[0] == '.' ? "." : "", line);
	}
	fputs(".\r\n", out);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 5 || fd < 0)
		return 75;
	to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		return 75;
	in = fdopen(fd, "r");
	out = fdopen(dup(fd), "w");
	if (in == NULL || out == NULL)
		return 75;
	expect('2');
	fputs("HELO filter.test\r\n", out);
	expect('2');
	fprintf(out, "MAIL FROM:<%s>\r\n", argv[3]);
	expect('2');
	fprintf(out, "RCPT TO:<%s>\r\n", argv[4]);
	expect('2');
	fputs("DATA\r\n", out);
	expect('3');
	body();
	expect('2');
	return 0;
}
