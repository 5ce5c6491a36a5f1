/* Where the second judge's program is, and where its files are while the kit runs. */
#ifndef INTEROP_SECOND_PLACE_H
#define INTEROP_SECOND_PLACE_H

#include "interop/kit/kit.h"

/* The file of a judge: in $POSTERN_INTEROP_JUDGES, in judges/ beside the cases, beside this program, installed; a
 * name with a slash is the file. NULL: not there. Free it. */
char *second_place_program(const struct kit *k, const char *name);
/* A new directory that nobody else reads, for keys: below the kit's, else in TMPDIR. held_r: a descriptor of it with
 * the lock that says that it is used; those there that nobody holds are removed. NULL with errno. Free it. */
char *second_place_directory(const struct kit *k, int *held_r);
/* Removes it with the files in it, and closes the descriptor; there are no directories below. */
void second_place_remove(const char *dir, int held);
/* The environment, with INTEROP_CACHE: the directory where a judge may keep what it compiled. */
char **second_place_environment(const char *cache);
void second_place_environment_free(char **env);

#endif
