/* Under which algorithms a bench runs: `--profile international|national` among its arguments. */
#ifndef FIRMIANA_BENCHES_ALGORITHMS_H
#define FIRMIANA_BENCHES_ALGORITHMS_H

#include <stdbool.h>

/* Takes the option out of argv, and adopts it (base/profile.h) before anything is hashed or any
 * process forked. False, with a line on standard error: another name. */
bool bench_algorithms(int *argc, char **argv);
/* For a row: "international" (also if nobody said) or "national". */
const char *bench_algorithms_name(void);

#endif
