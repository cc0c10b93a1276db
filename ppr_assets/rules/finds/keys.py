"""Keys and tokens that say themselves what they are, by the forms that their makers publish.

Each line: the kind as messages name it, where its maker tells the form, how it begins (which is
searched for in every byte of a dump), and how it goes on.
"""

from __future__ import annotations

import re

from ppr_assets.rules.finds.kind import LEFT, RIGHT, FindKind, prefixed, whole
from ppr_assets.rules.finds.service_keys import SERVICE_KEYS

_KEYS: tuple[tuple[str, str, bytes, bytes], ...] = (
    # Keys as files
    ("private key", "RFC 7468, RFC 4716, openssh.com PROTOCOL.key, RFC 9580",
     rb"---- ?BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY", rb"(?: BLOCK)? ?----"),
    ("PuTTY private key", "chiark.greenend.org.uk, PuTTY manual, appendix C",
     rb"PuTTY-User-Key-File-", rb"[0-9]: "),
    ("age private key", "age-encryption.org/v1", rb"AGE-SECRET-KEY-", rb"[0-9A-Z-]{20,}"),
    ("JSON web token", "RFC 7519",
     rb"eyJ[0-9A-Za-z_-]{8}",
     rb"[0-9A-Za-z_-]*\.(?:eyJ[0-9A-Za-z_-]{4,}\.|(?:[0-9A-Za-z_-]*\.){3})[0-9A-Za-z_-]{16,}"),
    # Clouds
    ("AWS access key", "docs.aws.amazon.com, IAM identifiers",
     rb"(?:AKIA|ASIA)[0-9A-Z]{4}", rb"[0-9A-Z]{12}" + RIGHT),
    ("Amazon Bedrock key", "docs.aws.amazon.com, Bedrock API keys", rb"ABSK[0-9A-Za-z+]{4}",
     rb"[0-9A-Za-z+/]{100,}"),
    ("Amazon MWS token", "developer-docs.amazon.com, MWS", rb"amzn\.mws\.",
     rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ("Google OAuth client secret", "developers.google.com, OAuth 2.0", rb"GOCSPX-",
     rb"[0-9A-Za-z_-]{28}"),
    ("Google OAuth token", "developers.google.com, OAuth 2.0",
     rb"(?:ya29\.|1(?:\\\\)?/(?:\\\\)?/0)", rb"[0-9A-Za-z_-]{20}"),
    ("Google service account", "cloud.google.com, service account keys", rb"private_key_id",
     rb"""[\\"'\s:]{1,12}[0-9a-f]{40}"""),
    ("Azure storage key", "learn.microsoft.com, Azure Storage connection strings",
     rb"(?i:AccountKey|SharedAccessKey)=", rb"[0-9A-Za-z+/]{43,86}={1,2}"),
    ("Azure shared access signature", "learn.microsoft.com, account SAS",
     rb"sig=[0-9A-Za-z%]", rb"[0-9A-Za-z%+/]{41,}(?:=|%3[Dd])"),
    ("Alibaba Cloud key", "alibabacloud.com, AccessKey", rb"LTAI",
     rb"[0-9A-Za-z]{12,20}" + RIGHT),
    ("Tencent Cloud key", "cloud.tencent.com, API keys", rb"AKID", rb"[0-9A-Za-z]{32}" + RIGHT),
    ("Scaleway key", "scaleway.com/docs, API keys", rb"SCW[0-9A-Z]{4}", rb"[0-9A-Z]{13}" + RIGHT),
    ("Vercel token", "vercel.com/docs, tokens", rb"vc[piark]_", rb"[0-9A-Za-z]{24}"),
    ("Neon key", "neon.tech/docs, API keys", rb"napi_", rb"[0-9a-z]{40}"),
    ("Aiven password", "aiven.io/docs", rb"AVNS_", rb"[0-9A-Za-z_-]{16}"),
    ("MongoDB Atlas secret", "mongodb.com/docs/atlas, service accounts",
     rb"mdb_sa_sk_", rb"[0-9A-Za-z_-]{32}"),
    ("Confluent secret", "docs.confluent.io, API keys", rb"cflt", rb"[0-9A-Za-z+/]{60}"),
    ("Heroku key", "devcenter.heroku.com, OAuth", rb"HRKU-", rb"[0-9A-Za-z_-]{20}"),
    ("Netlify token", "docs.netlify.com, access tokens", rb"nf[pcou]_", rb"[0-9A-Za-z]{36}"),
    ("Supabase key", "supabase.com, API keys", rb"(?:sbp_|sb_secret_)", rb"[0-9A-Za-z]{20}"),
    ("PlanetScale token", "planetscale.com, service tokens",
     rb"pscale_(?:tkn|pw|oauth)_", rb"[0-9A-Za-z_.-]{32}"),
    ("Pulumi token", "pulumi.com, access tokens", rb"pul-[0-9a-f]{4}", rb"[0-9a-f]{36}"),
    ("Doppler token", "docs.doppler.com, token formats",
     rb"dp\.(?:pt|st|ct|sa|scim|audit)\.", rb"(?:[0-9a-z_-]{2,35}\.)?[0-9A-Za-z]{40,44}"),
    ("HashiCorp Vault token", "developer.hashicorp.com, Vault tokens",
     rb"hv[sbr]\.", rb"[0-9A-Za-z_-]{24}"),
    ("Databricks token", "docs.databricks.com, personal access tokens",
     rb"dapi[0-9a-f]{4}", rb"[0-9a-f]{28}" + RIGHT),
    ("Tailscale key", "tailscale.com, auth keys", rb"tskey-[a-z]{2}", rb"[a-z]+-[0-9A-Za-z-]{12,}"),
    ("1Password token", "developer.1password.com, service accounts", rb"ops_eyJ",
     rb"[0-9A-Za-z+/_=-]{200,}"),
    ("1Password secret key", "1password.com/whitepaper", rb"A3-[0-9A-Z]{6}-",
     rb"(?:[0-9A-Z]{11}|[0-9A-Z]{6}-[0-9A-Z]{5})(?:-[0-9A-Z]{5}){3}" + RIGHT),
    # Forges and package registries
    ("GitHub token", "docs.github.com, token formats", rb"gh[pousr]_", rb"[0-9A-Za-z]{30}"),
    ("GitHub fine-grained token", "docs.github.com, token formats", rb"github_pat_",
     rb"[0-9A-Za-z]{10}[0-9A-Za-z_]{50,}"),
    ("GitLab token", "docs.gitlab.com, token prefixes",
     rb"(?:gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|wt)-|GR1348941)",
     rb"[0-9A-Za-z_.-]{20}"),
    ("Atlassian token", "support.atlassian.com, API tokens",
     rb"AT[AC]TT3", rb"[0-9A-Za-z_=-]{40}"),
    ("Bitbucket app password", "support.atlassian.com, app passwords",
     rb"ATBB", rb"[0-9A-Za-z]{28}"),
    ("NuGet key", "learn.microsoft.com/nuget, API keys", rb"oy2[0-9a-z]{4}",
     rb"[0-9a-z]{39}" + RIGHT),
    ("Clojars token", "github.com/clojars, deploy tokens", rb"CLOJARS_", rb"[0-9a-z]{50}"),
    ("Buildkite token", "buildkite.com/docs, API tokens", rb"bk[ua]a_", rb"[0-9a-f]{40}"),
    ("CircleCI token", "circleci.com/docs, API tokens", rb"CCI(?:PAT|PRJ)_",
     rb"[0-9A-Za-z]{22}_[0-9a-f]{40}"),
    ("Sonar token", "docs.sonarsource.com, tokens", rb"sq[upa]_[0-9a-f]{4}", rb"[0-9a-f]{36}"),
    ("PyPI token", "pypi.org, API tokens", rb"pypi-", rb"[0-9A-Za-z_-]{50}"),
    ("RubyGems key", "guides.rubygems.org, API keys", rb"rubygems_", rb"[0-9a-f]{48}"),
    ("crates.io token", "crates.io, API tokens", rb"cio[0-9A-Za-z]{12}",
     rb"[0-9A-Za-z]{20}" + RIGHT),
    ("Docker Hub token", "docs.docker.com, access tokens", rb"dckr_[po]at_", rb"[0-9A-Za-z_-]{24}"),
    ("Artifactory key", "jfrog.com, API keys", rb"(?:AKCp|cmVmd)", rb"[0-9A-Za-z]{59}"),
)  # fmt: skip

_OF_SEVERAL_SORTS: tuple[tuple[str, str, bytes, bytes], ...] = (
    ("Google API key", "cloud.google.com, API keys",
     rb"AIza|AQ\.Ab", rb"(?:AIza[0-9A-Za-z_-]{35}|AQ\.Ab[0-9A-Za-z_-]{40,60})" + RIGHT),
    ("Yandex Cloud key", "yandex.cloud/docs, IAM", rb"(?:AQVN|t1\.)[0-9A-Za-z_-]{8}",
     rb"(?:AQVN[0-9A-Za-z_-]{35}|t1\.[0-9A-Za-z_-]{20,200}={0,2}\.[0-9A-Za-z_-]{80})"),
    ("Cloudflare token", "developers.cloudflare.com, API tokens and Origin CA keys",
     rb"cf(?:ut|at|k)_|v1\.0-[0-9a-f]{4}",
     rb"(?:cf(?:ut|at|k)_[0-9A-Za-z]{40}|v1\.0-[0-9a-f]{24}-[0-9a-f]{100})"),
    ("DigitalOcean token", "docs.digitalocean.com, API and Spaces keys",
     rb"do[opr]_v1_|DO00", rb"(?:do[opr]_v1_[0-9a-f]{64}|DO00[0-9A-Z]{16})" + RIGHT),
    ("Fly.io token", "fly.io, access tokens", rb"fm[12][ar]?_|fo1_",
     rb"(?:fm[12][ar]?_[0-9A-Za-z+]{8}[0-9A-Za-z+/]{60}|fo1_[0-9A-Za-z_-]{43})"),
    ("npm token", "docs.npmjs.com, access tokens", rb"npm_|_authToken=",
     rb"(?:npm_[0-9A-Za-z]{36}|_authToken=[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-)"),
    ("Square token", "developer.squareup.com, access tokens",
     rb"sq0[a-z]{3}-|EAAA[0-9A-Za-z_-]{4}",
     rb"(?:sq0[a-z]{3}-[0-9A-Za-z_-]{22}(?:[0-9A-Za-z_-]{21})?|EAAA[0-9A-Za-z_-]{60})" + RIGHT),
    ("New Relic key", "docs.newrelic.com, API keys", rb"NR(?:AK|AA|RA|II)-|[0-9a-f]{2}NRAL",
     rb"(?:NR(?:AK|AA|RA|II)-[0-9A-Za-z]{27}|[0-9a-f]{36}NRAL)" + RIGHT),
)  # fmt: skip

KEYS: tuple[FindKind, ...] = (
    *(prefixed(*line) for line in (*_KEYS, *SERVICE_KEYS)),
    *(whole(*line) for line in _OF_SEVERAL_SORTS),
    prefixed(
        "AWS secret access key", "docs.aws.amazon.com, shared credentials file",
        rb"(?i:secret_?access_?key)", rb"""[\\"'\s:=>]{1,8}[0-9A-Za-z/+]{40}""" + RIGHT,
        before=rb"[0-9A-Za-z]{0,20}",
    ),
    prefixed(
        "Azure client secret", "learn.microsoft.com, Entra ID app registrations",
        rb"[0-9]Q~", rb"[0-9A-Za-z_~.-]{31}", before=rb"[0-9A-Za-z_~.]{3}",
    ),
    prefixed(
        # What Microsoft has its services write towards the end of a key.
        "Azure key", "github.com/microsoft/security-utilities, identifiable keys",
        rb"(?:JQQJ9[9DH][0-9A-Za-z][A-L]|(?:APIM|ACDb|AIoT|AzSe|AzCa|AzFu"
        rb"|\+(?:ABa|AMC|ASt|ASb|AEh|ARm|ACR)))",
        rb"[0-9A-Za-z+/_-]{5,31}={0,2}" + RIGHT, before=rb"[0-9A-Za-z+/_-]{33,76}",
    ),
    prefixed(
        "Teams webhook", "learn.microsoft.com, incoming webhooks", rb"\.webhook\.office\.com",
        rb"/webhookb2/[0-9a-f-]{36}@[0-9a-f-]{36}/[0-9A-Za-z]+/[0-9a-f]{32}",
        before=rb"[0-9A-Za-z-]{1,60}",
    ),
    prefixed(
        "Power Automate webhook", "learn.microsoft.com, Teams workflows",
        rb"\.logic\.azure\.com", rb"""[^\s"'<>]{1,400}[?&;]sig=[0-9A-Za-z_%-]{40}""",
        before=rb"[0-9A-Za-z.-]{1,100}",
    ),
    prefixed(
        "Telegram bot token", "core.telegram.org, bots", rb":AA[0-9A-Za-z_-]{4}",
        rb"[0-9A-Za-z_-]{29}" + RIGHT,
        before=rb"[0-9]{8,10}",
    ),
    FindKind(
        "Mailgun key", "documentation.mailgun.com, API keys",
        trigger=rb"key-[0-9a-f]{4}",
        in_run=rb"[0-9a-f]{32}-[0-9a-f]{8}-",
        form=re.compile(
            LEFT + rb"(?:key-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})" + RIGHT
        ),
    ),
    prefixed(
        "Mailchimp key", "mailchimp.com/developer, API keys", rb"[0-9a-f]-us[0-9]",
        rb"[0-9]?" + RIGHT, before=rb"[0-9a-f]{31}",
    ),
    prefixed(
        "Terraform Cloud token", "developer.hashicorp.com, HCP Terraform API tokens",
        rb"\.atlasv1\.", rb"[0-9A-Za-z_=-]{60,}", before=rb"[0-9A-Za-z]{14}",
    ),
    prefixed(
        "Discord bot token", "discord.com/developers, authentication",
        rb"\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27}", b"", before=rb"[MNO][0-9A-Za-z_-]{23,27}",
    ),
)  # fmt: skip
