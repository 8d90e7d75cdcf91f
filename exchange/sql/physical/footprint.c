#include "exchange/sql/physical/footprint.h"

enum { TEXT_CLEAR = 32 };

static uint64_t step_bytes(const struct sql_step *s, uint64_t rows)
{
    if (s->domain == SQL_RING)
        return 3 * rows * sizeof(int64_t);
    return s->width > 1 ? rows * TEXT_CLEAR * 2 : rows / 2;
}

uint64_t sql_footprint(const struct sql_physical *physical, const bool *mine)
{
    const struct sql_plan *plan = physical->plan;
    uint64_t bytes = 0;

    for (size_t s = 0; s < plan->source_count; s++)
        for (size_t i = 0; mine[s] && i < physical->step_count; i++) {
            const struct sql_step *step = &physical->steps[i];

            if (sql_step_is_source_input(step) &&
                (plan->simple || plan->sources[s].table == sql_step_table(plan, step)))
                bytes += step_bytes(step, (uint64_t)plan->sources[s].rows);
        }
    return bytes;
}
