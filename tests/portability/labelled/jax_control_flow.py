import jax
import jax.numpy as np
import numpy as onp
from jax import lax
from jax.experimental import sparse
from jax.flatten_util import ravel_pytree
from jax.scipy import linalg as jsl
from jax.scipy.stats import norm


def newton(f, x0, steps=5):
    df = jax.grad(f)

    def body(i, x):
        return x - f(x) / df(x)

    return lax.fori_loop(0, steps, body, x0)


def cumulative(xs):
    def step(carry, x):
        carry = carry + x
        return carry, np.tanh(carry)

    return lax.scan(step, np.zeros(()), xs)


def collatz(n):
    def cond(state):
        return state[0] > 1

    def body(state):
        n, k = state
        n = lax.cond(n % 2 == 0, lambda m: m // 2, lambda m: 3 * m + 1, n)
        return n, k + 1

    return lax.while_loop(cond, body, (n, 0))[1]


@jax.custom_vjp
def clip_gradient(lo, hi, x):
    return x


def clip_gradient_fwd(lo, hi, x):
    return x, (lo, hi)


def clip_gradient_bwd(res, g):
    lo, hi = res
    return None, None, np.clip(g, lo, hi)


clip_gradient.defvjp(clip_gradient_fwd, clip_gradient_bwd)


@jax.custom_jvp
def softplus(x):
    return np.log1p(np.exp(x))


softplus.defjvps(lambda t, ans, x: t * jax.nn.sigmoid(x))
print(newton(lambda x: x ** 2 - 2.0, 1.0), cumulative(np.arange(4.0))[0], collatz(7))
print(jax.grad(lambda x: clip_gradient(-1.0, 1.0, x * 5).sum())(np.ones(2)), jax.grad(softplus)(0.3))
A = onp.random.RandomState(0).randn(4, 4)
S = np.asarray(A @ A.T + onp.eye(4))
c, low = jsl.cho_factor(S)
x = jsl.cho_solve((c, low), np.ones(4))
print(np.allclose(S @ x, np.ones(4), atol=1e-3), np.linalg.norm(x), np.linalg.slogdet(S)[1])
w, v = np.linalg.eigh(S)
recon = v @ np.diag(w) @ v.conj().T
print(np.abs(recon - S).max() < 1e-2, jsl.expm(S * 0.01).shape)
M = sparse.BCOO.fromdense(np.eye(3))
print((M @ np.ones(3)).sum(), norm.logpdf(np.array([0.1, 0.2])).sum())
flat, unravel = ravel_pytree({"a": np.ones(2), "b": np.zeros((2, 2))})
print(flat.shape, unravel(flat * 2)["a"])
table = np.zeros(5)
table = table.at[2].set(1.0)
table = table.at[np.array([0, 1])].add(2.0)
print(table, lax.dynamic_slice(table, (1,), (2,)), lax.top_k(table, 2)[0], lax.rev(table, (0,)))
kernel = np.ones((1, 1, 3, 3))
image = np.ones((1, 1, 6, 6))
out = lax.conv_general_dilated(image, kernel, (1, 1), "SAME")
print(out.shape, lax.reduce_window(image, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID").sum())
print(jax.jacfwd(np.sin)(1.0), jax.jacrev(np.cos)(1.0), jax.hessian(lambda x: np.prod(x))(np.ones(2)))
y, f_jvp = jax.linearize(np.sin, 1.0)
print(y, f_jvp(2.0), jax.jvp(np.exp, (1.0,), (1.0,)), jax.eval_shape(np.sum, table))
switch = lax.switch(1, [lambda z: z + 1, lambda z: z * 2], 3.0)
assoc = lax.associative_scan(np.add, np.arange(4.0))
print(switch, assoc, lax.select(table > 0, table, -table), lax.map(np.square, table))
