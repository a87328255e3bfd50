"""The second step of the log-in, as a stage of allauth's."""

from allauth.mfa.stages import AuthenticateStage

from accounts.issuer_logins import confirmed_by_issuer


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]
    """As allauth's, but not asked for again where the issuer has confirmed one."""

    def handle(self) -> tuple[object, bool]:
        user = self.login.user
        if user is not None and confirmed_by_issuer(self.request.session, user):
            return None, True
        result: tuple[object, bool] = super().handle()
        return result
