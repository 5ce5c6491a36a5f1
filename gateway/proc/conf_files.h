/* Files of CAs that the configuration names: are they there? Parent; reads them. */
#ifndef POSTERN_PROC_CONF_FILES_H
#define POSTERN_PROC_CONF_FILES_H

#include "gateway/proc/conf.h"

/* 0, or -1 with which setting names a file that cannot be read or has no certificate in PEM. A file that no
 * connection needs, and the system's own as the default of tls-ca-file, may be missing. */
int conf_files_check(const struct conf *c, struct problem *pr) __attribute__((warn_unused_result));

#endif
