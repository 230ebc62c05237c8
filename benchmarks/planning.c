/* Sweeps of value iteration over rows of successors, as a C programmer writes them. */

#include <stdint.h>

/* v <- max_a r(s, a) + gamma sum_j p_j v(s_j), as often as asked; row s*A + a of the matrix
   holds the successors of the pair, w has room for the next v.                            */
void sweeps(int64_t num_sweeps, int64_t num_states, int64_t num_actions, const int32_t *begin,
            const int32_t *column, const double *probability, const double *r, double gamma,
            double *v, double *w) {
    for (int64_t k = 0; k < num_sweeps; k++) {
        for (int64_t s = 0; s < num_states; s++) {
            double best = -1e300;
            for (int64_t row = s * num_actions; row < (s + 1) * num_actions; row++) {
                double expected = 0.0;
                for (int32_t j = begin[row]; j < begin[row + 1]; j++)
                    expected += probability[j] * v[column[j]];
                double q = r[row] + gamma * expected;
                if (q > best) best = q;
            }
            w[s] = best;
        }
        double *swap = v;
        v = w;
        w = swap;
    }
}
