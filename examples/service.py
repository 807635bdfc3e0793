"""A service that decides, with FastAPI: `uvicorn service:app`. `POLICY_URL` names OPA; without it the policy that
`payer-policy-client[embedded]` ships decides in process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from payer_policy import (
    AsyncEmbeddedPolicy,
    AsyncPolicyClient,
    InvalidRequest,
    InvalidValue,
    PolicyError,
    RequestTooLarge,
)
from payer_policy.runtime.reading import read_json


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ.get("POLICY_URL")
    async with AsyncPolicyClient(url, deadline=5) if url else AsyncEmbeddedPolicy() as policy:
        app.state.policy = policy
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/decisions")
async def decide(call: Request) -> dict[str, Any]:
    """Reads JSON itself: FastAPI would round a number, take the last of two facts of one name, and repeat in its error
    what was sent."""
    try:
        decision = await app.state.policy.decide(read_json(await call.body()))
    except InvalidRequest as invalid:
        faults = [{"path": error.path, "message": error.message} for error in invalid.errors]
        raise HTTPException(422, faults) from None
    except InvalidValue as invalid:
        raise HTTPException(422, str(invalid)) from None
    except RequestTooLarge as too_large:
        raise HTTPException(413, str(too_large)) from None
    except PolicyError as failure:
        raise HTTPException(503, type(failure).__name__) from None
    return {
        "outcome": decision.outcome,
        "next_step": decision.next_step,
        "summary": decision.summary,
        "missing": [item.question for item in decision.missing],
    }
