/* firmiana demo: the demo that is installed beside the program, or lies beside it in the build
 * folder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/profile.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/profile.h"

enum { PREFIX_MAX = 384 };

/* The folder above the one this program is in: /usr, or the build folder. */
static fm_status prefix_of_program(char out[PREFIX_MAX], struct base_err *err)
{
    ssize_t n = readlink("/proc/self/exe", out, PREFIX_MAX - 1);

    if (n < 0)
        return base_err_errno(err, "/proc/self/exe");
    out[n] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(out, '/');
        if (slash == NULL || n == PREFIX_MAX - 1)
            return base_err_set(err, FM_E_LIMIT, "%s: the program's path is too long", out);
        *slash = '\0';
    }
    return FM_OK;
}

static fm_status demo(const struct cli_args *args, struct base_err *err)
{
    const char *keep = cli_value(args, "keep"), *engine = cli_value(args, "engine");
    char prefix[PREFIX_MAX], script[PREFIX_MAX + 32], rows_text[32], root[] = "/";
    char *argv[10] = {NULL};
    int64_t rows = 400;
    size_t n = 0;

    if (cli_int(&rows, args, "rows", 50, 1000000, err) != FM_OK ||
        prefix_of_program(prefix, err) != FM_OK ||
        (engine != NULL && strcmp(engine, "cometbft") == 0 &&
         cli_profile_allows_comet(err) != FM_OK))
        return err->code;
    (void)snprintf(script, sizeof script, "%s/share/firmiana/demo.sh", prefix);
    (void)snprintf(rows_text, sizeof rows_text, "%lld", (long long)rows);
    if (access(script, X_OK) != 0)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "%s: not there: the demo is installed with the package", script);
    argv[n++] = script;
    argv[n++] = prefix[0] != '\0' ? prefix : root;
    argv[n++] = (char *)(uintptr_t) "--rows";
    argv[n++] = rows_text;
    if (keep != NULL) {
        argv[n++] = (char *)(uintptr_t) "--keep";
        argv[n++] = (char *)(uintptr_t)keep;
    }
    if (engine != NULL) {
        argv[n++] = (char *)(uintptr_t) "--engine";
        argv[n++] = (char *)(uintptr_t)engine;
    }
    if (base_profile() != BASE_PROFILE_OPEN && /* every program of the demo is to know */
        setenv("FIRMIANA_PROFILE", base_profile_name(base_profile()), 1) != 0)
        return base_err_errno(err, "FIRMIANA_PROFILE");
    execv(script, argv);
    return base_err_errno(err, script);
}

static const struct cli_option demo_options[] = {
    {"keep", "DIR", "leave every member's home in this new or empty folder", CLI_OPTIONAL},
    {"engine", "ENGINE", "who orders the ledger: embedded (default) or cometbft", CLI_OPTIONAL},
    {"rows", "N", "rows of each bank's table (default 400)", CLI_OPTIONAL},
    CLI_PROFILE_OPTION,
    {0}};

const struct cli_command cli_demo = {
    "demo",
    "",
    0,
    0,
    "three banks and a regulator, each a real process, answer joint queries on this machine",
    "Plays the whole path step by step, and checks every step: genesis, datasets, contracts, "
    "consent, "
    "queries (against SQLite on the pooled rows), refusals, the exported trail. Needs the sqlite3 "
    "program. Everything stays on the loopback interface and is removed at the end.",
    demo_options,
    demo};
