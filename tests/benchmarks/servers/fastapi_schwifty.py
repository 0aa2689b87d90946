"""What somebody would build instead of ibanse: FastAPI and schwifty. No key, no address list, no quota, no record."""

import warnings
from contextlib import suppress
from typing import Any

import schwifty
from fastapi import FastAPI
from pydantic import BaseModel
from schwifty.exceptions import NationalChecksumNotVerified, SchwiftyException

warnings.simplefilter("ignore", NationalChecksumNotVerified)
application = FastAPI(openapi_url=None)


class Question(BaseModel):
    """What is asked."""

    iban: str


@application.post("/api/v1/validate", response_model=None)
async def validate(question: Question) -> dict[str, Any]:
    """Return the verdict with what is known of the bank; 200 whatever the verdict."""
    try:
        iban = schwifty.IBAN(question.iban, validate_bban=True)
    except SchwiftyException as refusal:
        return {"input": question.iban, "valid": False, "reasons": [{"message": str(refusal)}]}
    bic = None
    with suppress(SchwiftyException):
        bic = iban.bic
    return {
        "input": question.iban,
        "iban": str(iban),
        "formatted": iban.formatted,
        "valid": True,
        "reasons": [],
        "country": {"code": iban.country_code, "sepa": iban.in_sepa_zone},
        "bank": {
            "code": iban.bank_code,
            "branch_code": iban.branch_code,
            "name": iban.bank_name,
            "bic": str(bic) if bic else None,
        },
        "account": {"bban": str(iban.bban), "number": iban.account_code},
    }
