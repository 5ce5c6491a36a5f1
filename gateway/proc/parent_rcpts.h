/*
 * What the parent reads for the recipients of our domains: the recipient-maps, handed to the relay, and the passwords
 * of the sections ldap and certificate-directory, handed to the scout. All of it is read and checked when the
 * configuration is, so that what is handed to a child that starts later is what was checked. Blocks.
 */
#ifndef POSTERN_PROC_PARENT_RCPTS_H
#define POSTERN_PROC_PARENT_RCPTS_H

#include "gateway/proc/conf.h"

struct parent_rcpts_file {
	unsigned domain; /* the first that names it */
	int fd;		 /* sealed memory file */
};
struct parent_rcpts_password {
	bool certificates; /* of a section certificate-directory; else ldap */
	const char *name;  /* of the section; the configuration's */
	char *text;	   /* secret */
	size_t n;
};
struct parent_rcpts {
	struct parent_rcpts_file *maps;
	size_t nmaps;
	struct parent_rcpts_password *passwords;
	size_t npasswords;
};
#define PARENT_RCPTS_MAPS_MAX 128

/* NULL with pr, which names file and line. Lives no longer than c. */
struct parent_rcpts *parent_rcpts_load(const struct conf *c, struct problem *pr);
void parent_rcpts_free(struct parent_rcpts *p);

#endif
