#include "benches/algorithms.h"

#include <stdio.h>
#include <string.h>

#include "base/profile.h"

bool bench_algorithms(int *argc, char **argv)
{
    struct base_err err;
    enum base_profile profile;
    int kept = 1;

    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--profile") != 0 || i + 1 == *argc) {
            argv[kept++] = argv[i];
            continue;
        }
        i++;
        if (!base_profile_find(&profile, argv[i]) || base_profile_adopt(profile, &err) != FM_OK) {
            fprintf(stderr, "%s: --profile %s: international or national\n", argv[0], argv[i]);
            return false;
        }
    }
    argv[kept] = NULL;
    *argc = kept;
    return true;
}

const char *bench_algorithms_name(void)
{
    return base_profile_is_national() ? "national" : "international";
}
