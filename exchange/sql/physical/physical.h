/* Stage 4, physical plan: a straight-line program of vector steps, each used by later ones through
 * its number. It is a pure function of the logical plan and of the row counts that the providers
 * declare (both in the session descriptor), so every node makes the same one, and each provider can
 * tell alone what it has to put in. It names no protocol and no party: run.h executes it over mpc/.
 *
 * Domains. PUBLIC: one value known to every party (constants, public parameters, what follows from
 * them). RING: a secret integer vector with a proved range. BITS: a secret vector of truth values,
 * or of 128-bit text hashes. Shapes. ONE element; ROWS: a padded row of every source, source after
 * source; OTHERS: those of the sources that are no recipient.
 *
 * NULL. A logical value becomes up to four steps, made when asked for: its value (anything in range
 * where NULL), whether it is known, and for conditions, whether it is true and whether it is false
 * (both 0 where NULL): three-valued AND is (true AND true, false OR false), NOT swaps the two.
 * Padding rows count nowhere, because every mask is ANDed with `valid`.
 *
 * Steps with equal operation and operands are made once. A step's level is the number of
 * interactive steps on the longest way to it; interactive steps of one level are independent and
 * share rounds. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_PHYSICAL_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_PHYSICAL_H

#include "exchange/sql/plan/plan.h"

enum sql_step_op {
    /* inputs of the providers, each for its own rows */
    SQL_STEP_VALID = 1, /* BITS: a row, not padding; index: table */
    SQL_STEP_COLUMN,    /* RING, or BITS for BOOLEAN; index: plan column */
    SQL_STEP_KNOWN,     /* BITS: the column is not NULL */
    SQL_STEP_TEXT,      /* BITS, width 128: keyed hash of the column's text */
    SQL_STEP_WORD,      /* RING: bytes 7 k to 7 k + 6 of the column's text, k = constant, the first
                           the most significant, zeros behind its end */
    /* inputs of one element */
    SQL_STEP_TEXT_CONST,   /* BITS, width 128, from the first provider; text */
    SQL_STEP_TEXT_PARAM,   /* likewise, text of a parameter (hidden: from the asker); index */
    SQL_STEP_HIDDEN_PARAM, /* RING or BITS, from the asker; index */
    /* PUBLIC */
    SQL_STEP_CONST, /* constant */
    SQL_STEP_PARAM, /* index */
    /* local */
    SQL_STEP_FILL,   /* a PUBLIC value, or ONE element, as a vector of the step's shape */
    SQL_STEP_OTHERS, /* ROWS -> OTHERS */
    SQL_STEP_ADD,
    SQL_STEP_SUB,
    SQL_STEP_NEG,
    SQL_STEP_NOT,
    SQL_STEP_XOR,
    SQL_STEP_TOTAL, /* sum of all elements */
    SQL_STEP_ANY,   /* of a MIN or MAX: its mask was not empty */
    /* interactive unless an operand is PUBLIC */
    SQL_STEP_MUL,
    SQL_STEP_LESS,
    SQL_STEP_EQUAL,
    SQL_STEP_AND,
    SQL_STEP_OR,
    SQL_STEP_SELECT, /* bit01 (RING), x, y */
    SQL_STEP_BIT2A,  /* truth values as integers 0 and 1 */
    SQL_STEP_COUNT,  /* truth values that are 1 */
    SQL_STEP_DOT,    /* x, bit01: sum of x where it is 1 */
    SQL_STEP_MIN,    /* x, mask; the value, 0 or the range's end if the mask is empty */
    SQL_STEP_MAX,
    SQL_STEP_ABS,
    SQL_STEP_NEGATIVE,     /* x < 0 */
    SQL_STEP_QUOTIENT,     /* x >= 0 by y > 0; anything in range where y is 0 */
    SQL_STEP_DIVIDE_ROUND, /* half away from zero */
    SQL_STEP_RATIO,  /* x 10^index / y, y of any sign, PUBLIC or not; constant: enum sql_rounding */
    SQL_STEP_CHOOSE, /* bit, x, y: BITS, x and y of width 128 */
    SQL_STEP_PARAM_WORD, /* PUBLIC: bytes of the text of parameter `index`, as WORD */
    SQL_STEP_COUNT_OF_OPS
};

enum sql_rounding { SQL_ROUND_HALF_AWAY, SQL_ROUND_TO_ZERO };
enum sql_domain { SQL_PUBLIC = 1, SQL_RING, SQL_BITS };
enum sql_shape { SQL_ONE = 1, SQL_ROWS, SQL_OTHERS };

struct sql_step {
    enum sql_step_op op;
    enum sql_domain domain;
    enum sql_shape shape;
    size_t args[3]; /* SQL_NONE from arg_count on */
    size_t arg_count;
    size_t index;
    int64_t constant;
    const char *text;
    struct sql_range range; /* RING and PUBLIC; truth values 0 .. 1 */
    unsigned width;         /* BITS: 1 or 128; RING: bits that the range needs */
    unsigned level;
};

/* What is revealed for one output. value: RING, 0 where the result is NULL or suppressed. */
struct sql_reveal {
    size_t value;
    size_t known;      /* BITS: not NULL; SQL_NONE: it never is */
    size_t shown;      /* BITS: not suppressed; SQL_NONE: it never is */
    size_t word_count; /* of expressions: of a TEXT whose words are needed, those */
    size_t *words;
};

/* Of a plan that is not simple (plan.h), only the inputs: those of every table, and the single
 * elements; exchange/run takes them to the plan's operators, and evaluates their expressions as
 * programs of their own (sql_physical_expressions). levels is 0 then, and nothing is revealed. */
struct sql_physical {
    const struct sql_plan *plan; /* without what owners compute by themselves (local.h); lives in
                                    the arena, and borrows from the plan that it was made of */
    size_t step_count;
    struct sql_step *steps;
    size_t zero; /* BITS, of expressions: a divisor is 0; SQL_NONE: none can be */
    size_t reveal_count;
    struct sql_reveal *reveals; /* one for each output */
    unsigned levels;
    int64_t rows;        /* elements of ROWS */
    int64_t others_rows; /* elements of OTHERS */
    struct sql_arena arena;
};

/* Can the plan be run? FM_E_UNSUPPORTED with the place of the first operator or expression that
 * cannot, and what to write instead. */
fm_status sql_plan_runs(const struct sql_plan *plan, struct base_err *err) FM_CHECK;

/* The plan must outlive *out. Errors: those of sql_plan_runs(). */
fm_status sql_physical_make(struct sql_physical *out, const struct sql_plan *plan,
                            struct base_err *err) FM_CHECK;
void sql_physical_release(struct sql_physical *physical);

/* Expressions over rows of one relation: nodes of the plan whose columns are the program's inputs,
 * by their numbers in the plan, as are hidden parameters and texts. reveals[i] is roots[i]: its
 * value (of BOOLEAN: whether it is true) and whether it is known, both of shape ROWS or PUBLIC;
 * of a TEXT, where worded[i] (NULL: nowhere), its words too. */
fm_status sql_physical_expressions(struct sql_physical *out, const struct sql_plan *plan,
                                   const size_t *roots, const bool *worded, size_t count,
                                   int64_t rows, struct base_err *err) FM_CHECK;

/* Is the step one that every source puts its rows into? In the order of the steps these are a
 * provider's inputs: for step s, rows(source) elements each. */
bool sql_step_is_source_input(const struct sql_step *step);
/* The table whose sources put it in. */
size_t sql_step_table(const struct sql_plan *plan, const struct sql_step *step);
/* Words of a TEXT of at most that many bytes. */
enum { SQL_WORD_BYTES = 7 };
static inline size_t sql_text_words(struct data_type type)
{
    return (type.max_bytes + SQL_WORD_BYTES - 1) / SQL_WORD_BYTES;
}
/* Word k of a text that parties know. */
int64_t sql_text_word(const char *text, size_t len, size_t k);
/* What a provider puts where a row is padding or the column is NULL: 0 or the nearest in range. */
int64_t sql_step_fill(const struct sql_step *step);
const char *sql_step_name(enum sql_step_op op);
/* Does an interactive step of this kind run by itself, and not in a list with others of its level?
 */
bool sql_step_alone(enum sql_step_op op);
bool sql_step_interactive(const struct sql_physical *p, const struct sql_step *step);
void sql_physical_print(struct base_buf *out, const struct sql_physical *physical);

#endif
