/*
 * posternd: without a role the parent, with --role=R that role (only the parent starts it so).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/proc/parent.h"
#include "gateway/proc/proc.h"

#ifndef POSTERN_VERSION
#define POSTERN_VERSION "0.1"
#endif

#ifdef POSTERN_SAN
/* LeakSanitizer wants ptrace and threads of its own, which no sandboxed role may have; leaks are found by the unit
 * tests under valgrind. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0:abort_on_error=1:disable_coredump=1";
}
#endif

static const struct {
	enum control_role role;
	const struct child_role *does;
} roles[] = {
    {ROLE_KEEPER, &proc_keeper_role},
    {ROLE_JUDGE, &proc_judge_role},
    {ROLE_SCOUT, &proc_scout_role},
    {ROLE_SEALER, &proc_sealer_role},
    {ROLE_RELAY, &proc_relay_role},
    {ROLE_ADMIN, &proc_admin_role},
    {ROLE_PUBLIC, &proc_public_role},
    {ROLE_WEB, &proc_web_role},
    {ROLE_OPENER, &proc_opener_role},
};

static int help(void)
{
	struct buf b;

	buf_init(&b, 1024 * 1024);
	if (conf_help(&b) == 0)
		fputs(buf_str(&b), stdout);
	buf_clear(&b);
	return 0;
}

static int usage(void)
{
	fputs("usage: posternd [-t] [-c FILE]   run the gateway (-t: only check the configuration)\n"
	      "       posternd -H               all settings with default, range and meaning\n"
	      "       posternd -V               version\n"
	      "FILE is /etc/postern/postern.conf unless given.\n",
	    stderr);
	return 64;
}

int main(int argc, char **argv)
{
	const char *file = "/etc/postern/postern.conf";
	int check = 0, opt;

	if (argc == 2 && strncmp(argv[1], "--role=", 7) == 0)
		for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
			if (strcmp(argv[1] + 7, control_role_word(roles[i].role)) == 0)
				child_main(roles[i].does, roles[i].role);
	while ((opt = getopt(argc, argv, "c:tHV")) != -1) {
		if (opt == 'c')
			file = optarg;
		else if (opt == 't')
			check = 1;
		else if (opt == 'H')
			return help();
		else if (opt == 'V')
			return puts("posternd " POSTERN_VERSION) < 0;
		else
			return usage();
	}
	if (optind != argc)
		return usage();
	return check ? parent_check(file) : parent_main(file);
}
