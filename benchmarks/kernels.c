/* Q-learning as a C programmer writes it: the yardstick of the compiled Python loops.

   The arithmetic and the order of the random numbers are those of qlearn_core.tabular, so with
   NumPy's generator the final table has the same bits.  Pair s*A + a owns entry [pair] of q,
   counts and r, and row [pair] of next_states and cumulative (b entries each).              */

#include <stdint.h>

/* numpy/random/bitgen.h */
typedef struct {
    void *state;
    uint64_t (*next_uint64)(void *);
    uint32_t (*next_uint32)(void *);
    double (*next_double)(void *);
    uint64_t (*next_raw)(void *);
} bitgen;

typedef struct {
    uint64_t word[4];
} xoshiro;

static inline double uniform_numpy(bitgen *rng) { return rng->next_double(rng->state); }

/* xoshiro256+ (Blackman & Vigna 2021), inlined: what a call per random number costs. */
static inline double uniform_xoshiro(xoshiro *rng) {
    uint64_t *s = rng->word, result = s[0] + s[3], shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return (result >> 11) * 0x1.0p-53;
}

typedef struct {
    int64_t num_actions, num_successors, num_pairs, start, num_updates;
    double alpha, gamma, epsilon;
    const uint32_t *next_states, *pairs;
    const double *cumulative, *r, *policy;
    const uint8_t *terminal;
} problem;

static inline double row_max(const double *row, int64_t n) {
    double best = row[0];
    for (int64_t a = 1; a < n; a++)
        if (row[a] > best) best = row[a];
    return best;
}

#define KERNELS(RNG, GENERATOR)                                                                  \
    static inline int64_t draw_##RNG(const double *cumulative, GENERATOR *rng) {                  \
        double u = uniform_##RNG(rng);                                                            \
        int64_t k = 0;                                                                            \
        while (u >= cumulative[k]) k++;                                                           \
        return k;                                                                                 \
    }                                                                                             \
    static inline int64_t update_##RNG(const problem *p, double *q, int64_t *counts,              \
                                       int64_t pair, GENERATOR *rng) {                            \
        int64_t b = p->num_successors;                                                            \
        int64_t s_next = p->next_states[pair * b + draw_##RNG(p->cumulative + pair * b, rng)];    \
        double best = row_max(q + s_next * p->num_actions, p->num_actions);                       \
        q[pair] += p->alpha * (p->r[pair] + p->gamma * best - q[pair]);                           \
        counts[pair]++;                                                                           \
        return s_next;                                                                            \
    }                                                                                             \
    void uniform_pairs_##RNG(const problem *p, double *q, int64_t *counts, GENERATOR *rng) {      \
        for (int64_t t = 0; t < p->num_updates; t++)                                              \
            update_##RNG(p, q, counts, p->pairs[(int64_t)(uniform_##RNG(rng) * p->num_pairs)],    \
                         rng);                                                                    \
    }                                                                                             \
    void epsilon_greedy_##RNG(const problem *p, double *q, int64_t *counts, GENERATOR *rng) {     \
        int64_t s = p->start, n = p->num_actions;                                                 \
        for (int64_t t = 0; t < p->num_updates; t++) {                                            \
            const double *row = q + s * n;                                                        \
            int64_t action = 0, ties = 1;                                                         \
            if (uniform_##RNG(rng) < p->epsilon)                                                  \
                action = draw_##RNG(p->policy + s * n, rng);                                      \
            else                                                                                  \
                for (int64_t a = 1; a < n; a++)                                                   \
                    if (row[a] > row[action]) {                                                   \
                        action = a;                                                               \
                        ties = 1;                                                                 \
                    } else if (row[a] == row[action]) {                                           \
                        ties++;                                                                   \
                        if (uniform_##RNG(rng) * ties < 1.0) action = a;                          \
                    }                                                                             \
            int64_t s_next = update_##RNG(p, q, counts, s * n + action, rng);                     \
            s = p->terminal[s_next] ? p->start : s_next;                                          \
        }                                                                                         \
    }

KERNELS(numpy, bitgen)
KERNELS(xoshiro, xoshiro)
