/* What the parent makes before and between the children: configuration, directories, users, sockets, passphrase, key
 * files. Blocks. */
#ifndef POSTERN_PROC_PARENT_SETUP_H
#define POSTERN_PROC_PARENT_SETUP_H

#include "gateway/proc/parent.h"

/* Reads and parses p->file; replaces text and conf only when all is good. */
int parent_setup_conf(struct parent *p, struct problem *pr);
/* The data directory is for one gateway: held until the process ends, however it ends. */
int parent_setup_lock(const struct parent *p, struct problem *pr);
/* keys/, store/, queue/ below the data directory, each with its owner and mode 0700. */
int parent_setup_dirs(const struct parent *p, struct problem *pr);
/* uid and gid of a role; 0 0 = stay. */
int parent_setup_user(
    const struct parent *p, enum control_role role, unsigned *uid_r, unsigned *gid_r, struct problem *pr);
/* Listening sockets as configured; those that are open already stay, those no longer wanted are closed. -1: all is as
 * it was before. */
/* Whose the listener of this number is: those of the relay stand first. */
enum control_role parent_setup_listens(const struct conf *c, size_t i);
int parent_setup_listen(struct parent *p, struct problem *pr);
/* The control socket, once. One at which a gateway answers is left alone: -1. */
int parent_setup_control(struct parent *p, struct problem *pr);
/* Where the passphrase is looked for; and its content: 1 got it, 0 not there (yet), -1 unreadable. b is wiped by the
 * caller. */
const char *parent_setup_passphrase_path(const struct parent *p);
int parent_setup_passphrase(const struct parent *p, struct buf *b, struct problem *pr);
/* A sealed key file (or "master") made durable; the name is checked. */
int parent_setup_keyfile(const struct parent *p, const char *name, const void *data, size_t n, struct problem *pr);
/* Removes a sealed key file durably; not "master". */
int parent_setup_keyfile_drop(const struct parent *p, const char *name, struct problem *pr);
/* Calls fn for each file in keys/ (name, content). */
int parent_setup_keyfiles(const struct parent *p, void (*fn)(void *ctx, const char *name, const struct buf *content),
    void *ctx, struct problem *pr);

#endif
