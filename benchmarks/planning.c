/* Sweeps of value iteration over sparse rows, as a C programmer writes them. */

#include <stdint.h>

/* q(s, a) <- r(s, a) + gamma sum_j p_j max_b q(s_j, b), as often as asked.  Row s*A + a of the
   matrix holds the successors of a pair; v has room for the maxima of all states.           */
void sweeps(int64_t num_sweeps, int64_t num_states, int64_t num_actions, const int32_t *begin,
            const int32_t *column, const double *probability, const double *r, double gamma,
            double *q, double *v) {
    for (int64_t k = 0; k < num_sweeps; k++) {
        for (int64_t s = 0; s < num_states; s++) {
            v[s] = q[s * num_actions];
            for (int64_t a = 1; a < num_actions; a++)
                if (q[s * num_actions + a] > v[s]) v[s] = q[s * num_actions + a];
        }
        for (int64_t row = 0; row < num_states * num_actions; row++) {
            double expected = 0.0;
            for (int32_t j = begin[row]; j < begin[row + 1]; j++)
                expected += probability[j] * v[column[j]];
            q[row] = r[row] + gamma * expected;
        }
    }
}
