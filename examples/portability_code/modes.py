"""Find the growth rates of a linear system and simulate it: code that `isoflop portability scan` reads."""

import jax
import jax.numpy as jnp


@jax.jit
def step(state, matrix):
    return jnp.tanh(jnp.matmul(matrix, state))


def simulate(matrix, steps=100):
    state = jnp.ones(matrix.shape[0])
    return jax.lax.fori_loop(0, steps, lambda _, s: step(s, matrix), state)


def growth_rates(matrix):
    values, _ = jnp.linalg.eig(matrix)
    return jnp.sort(jnp.real(values))


if __name__ == "__main__":
    key = jax.random.key(0)
    system = jax.random.normal(key, (16, 16)) / 4.0
    print(growth_rates(system), jnp.linalg.norm(simulate(system)))
