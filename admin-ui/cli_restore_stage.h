/* A backup copied beside its destination and checked. Used by cli_restore.c; blocks. */
#ifndef POSTERN_ADMIN_UI_CLI_RESTORE_STAGE_H
#define POSTERN_ADMIN_UI_CLI_RESTORE_STAGE_H

#include <sys/types.h>

#include "admin-ui/cli.h"
#include "certstore/manifest.h"
#include "certstore/store.h"

#define CLI_RESTORE_PATH 4096

struct cli_restore_stage {
	char dir[CLI_RESTORE_PATH]; /* DATA/restore-PID, with store/ and keys/ in it */
	struct manifest files;
	size_t nkeys;
	struct store_counts counts;
};
/* Functions give CLI_OK, or CLI_FAILED after a sentence on stderr. */
int cli_restore_path(char out[CLI_RESTORE_PATH], const char *dir, const char *name);
/* Copies the backup in `from` to data/restore-PID, comparing each sum, and looks whether the store in it is sound.
 * Clear in both cases. */
int cli_restore_stage(struct cli_restore_stage *st, const char *from, const char *data);
/* Whose the store is: uid -1 leaves it. */
int cli_restore_stage_give(const struct cli_restore_stage *st, uid_t uid, gid_t gid);
/* Removes what is still there. */
void cli_restore_stage_clear(struct cli_restore_stage *st);
/* The directory is on the disk as it is now. */
int cli_restore_sync(const char *dir);

#endif
