"""Keys and tokens, by what their makers publish."""

from __future__ import annotations

import string
from collections.abc import Mapping

from ppr_assets_tests.planted.making import (
    BASE64,
    DIGITS,
    HEX,
    LETTERS,
    LOWER,
    UPPER,
    URL_SAFE,
    WORD,
    Make,
    joined,
    json_token,
    key,
    one_of,
    pem,
    uuid,
)

KEYS: Mapping[str, Make] = {
    "private key": one_of(
        *map(pem, ("PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY")),
        *map(pem, ("EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK")),
    ),
    "PuTTY private key": joined("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n"),
    "age private key": key("AGE-SECRET-KEY-1", UPPER, 58),
    "JSON web token": json_token,
    "AWS access key": one_of(key("AKIA", UPPER, 16), key("ASIA", UPPER, 16)),
    "AWS secret access key": one_of(
        key("aws_secret_access_key = ", BASE64, 40), key('"SecretAccessKey": "', BASE64, 40)
    ),
    "Amazon Bedrock key": key("ABSK", BASE64.replace("/", ""), 128),
    "Amazon MWS token": joined("amzn.mws.", uuid),
    "Google API key": one_of(key("AIza", URL_SAFE[:-1], 35), key("AQ.Ab8RN6", WORD, 44)),
    "Google OAuth client secret": key("GOCSPX-", URL_SAFE, 28),
    "Google OAuth token": one_of(key("ya29.", URL_SAFE, 120), key("1//0", URL_SAFE, 90)),
    "Google service account": joined(
        '{"type": "service_account", "private_key_id": "', (HEX, 40), '"}'
    ),
    "Azure storage key": joined(
        "DefaultEndpointsProtocol=https;AccountName=pantry;AccountKey=", (BASE64, 86), "=="
    ),
    "Azure shared access signature": joined(
        "https://pantry.blob.core.windows.net/a?sv=2022-11-02&sp=r&sig=", (WORD, 43), "%3D"
    ),
    "Azure client secret": joined((WORD, 3), "8Q~", (URL_SAFE + "~.", 34)),
    "Alibaba Cloud key": key("LTAI", WORD, 20),
    "DigitalOcean token": one_of(key("dop_v1_", HEX, 64), key("DO00", UPPER, 16)),
    "Heroku key": key("HRKU-", URL_SAFE, 60),
    "Fly.io token": one_of(key("fm2_", BASE64.replace("/", ""), 80), key("fo1_", WORD, 43)),
    "Netlify token": key("nfp_", WORD, 36),
    "Supabase key": one_of(key("sbp_", HEX, 40), key("sb_secret_", WORD, 31)),
    "PlanetScale token": key("pscale_tkn_", URL_SAFE, 43),
    "Pulumi token": key("pul-", HEX, 40),
    "Doppler token": one_of(key("dp.pt.", WORD, 43), key("dp.st.prd.", WORD, 43)),
    "HashiCorp Vault token": key("hvs.", URL_SAFE, 95),
    "Databricks token": key("dapi", HEX, 32),
    "Tailscale key": joined("tskey-auth-", (WORD, 16), "-", (WORD, 32)),
    "1Password token": key("ops_eyJ", WORD, 300),
    "GitHub token": one_of(*(key(f"gh{one}_", WORD, 36) for one in "pousr")),
    "GitHub fine-grained token": joined("github_pat_", (WORD, 22), "_", (WORD, 59)),
    "GitLab token": one_of(
        *(key(one, URL_SAFE, 20) for one in ("glpat-", "gldt-", "glrt-", "GR1348941"))
    ),
    "Atlassian token": key("ATATT3", URL_SAFE, 186),
    "Bitbucket app password": key("ATBB", WORD, 32),
    "npm token": one_of(
        key("npm_", WORD, 36), joined("//registry.npmjs.org/:_authToken=", uuid)
    ),
    "PyPI token": key("pypi-AgEIcHlwaS5vcmc", URL_SAFE, 90),
    "RubyGems key": key("rubygems_", HEX, 48),
    "crates.io token": key("cio", WORD, 32),
    "Docker Hub token": key("dckr_pat_", URL_SAFE, 27),
    "Artifactory key": key("AKCp", WORD, 69),
    "Slack token": one_of(
        joined("xoxb-", (DIGITS, 12), "-", (DIGITS, 12), "-", (WORD, 24)),
        joined("xapp-1-A", (UPPER, 10), "-", (DIGITS, 13), "-", (HEX, 64)),
        joined("xoxd-", (WORD, 12), "%2B", (WORD, 60)),
    ),
    "Slack webhook": joined(
        "https://hooks.slack.com/services/T", (UPPER, 8), "/B", (UPPER, 8), "/", (WORD, 24)
    ),
    "Discord webhook": joined(
        "https://discord.com/api/webhooks/", (DIGITS, 18), "/", (URL_SAFE, 68)
    ),
    "Discord bot token": joined("M", (WORD, 23), ".", (URL_SAFE, 6), ".", (URL_SAFE, 38)),
    "Teams webhook": joined(
        "https://pantry.webhook.office.com/webhookb2/", uuid, "@", uuid, "/IncomingWebhook/",
        (HEX, 32), "/", uuid,
    ),
    "SendGrid key": joined("SG.", (URL_SAFE, 22), ".", (URL_SAFE, 43)),
    "Twilio key": key("SK", HEX, 32),
    "Mailgun key": one_of(
        key("key-", HEX, 32), joined((HEX, 32), "-", (HEX, 8), "-", (HEX, 8))
    ),
    "Mailchimp key": joined((HEX, 32), "-us14"),
    "Brevo key": one_of(
        *(joined(f"x{one}sib-", (HEX, 64), "-", (WORD, 16)) for one in ("key", "smtp"))
    ),
    "Telegram bot token": joined((DIGITS[1:], 10), ":AA", (URL_SAFE, 32), "x"),
    "Stripe key": one_of(*(key(one, WORD, 24) for one in ("sk_live_", "rk_live_", "sk_org_live_"))),
    "Square token": one_of(
        joined("sq0atp-", (URL_SAFE, 21), "x"),
        joined("sq0csp-", (URL_SAFE, 42), "x"),
        key("EAAA", WORD, 60),
    ),
    "PayPal Braintree token": joined(
        "access_token$production$", (string.ascii_lowercase, 16), "$", (HEX, 32)
    ),
    "Shopify token": one_of(key("shpat_", HEX, 32), key("shpss_", HEX, 32)),
    "OpenAI key": one_of(
        joined("sk-", (WORD, 20), "T3BlbkFJ", (WORD, 20)),
        key("sk-proj-", URL_SAFE, 120),
        joined("sk-None-", (WORD, 20), "T3BlbkFJ", (WORD, 20)),
        key("sk-", WORD, 48),
    ),
    "Anthropic key": key("sk-ant-api03-", URL_SAFE, 93, "AA"),
    "OpenRouter key": key("sk-or-v1-", HEX, 64),
    "Groq key": key("gsk_", WORD, 52),
    "xAI key": key("xai-", WORD, 80),
    "Replicate token": key("r8_", WORD, 37),
    "Hugging Face token": key("hf_", LETTERS, 34),
    "Airtable token": joined("pat", (WORD, 14), ".", (HEX, 64)),
    "Notion token": one_of(key("secret_", WORD, 43), key("ntn_", WORD, 46)),
    "Linear key": key("lin_api_", WORD, 40),
    "Figma token": key("figd_", URL_SAFE, 40),
    "Postman key": joined("PMAK-", (HEX, 24), "-", (HEX, 34)),
    "New Relic key": one_of(key("NRAK-", UPPER, 27), joined((HEX, 36), "NRAL")),
    "Grafana token": one_of(
        joined("glsa_", (WORD, 32), "_", (HEX, 8)), key("eyJrIjoi", WORD, 80)
    ),
    "Sentry token": key("sntryu_", HEX, 64),
    "Mapbox secret token": joined("sk.eyJ", (WORD, 60), ".", (URL_SAFE, 22)),
    "Terraform Cloud token": joined((WORD, 14), ".atlasv1.", (WORD, 67)),
    "Azure key": one_of(
        joined((WORD, 52), "JQQJ99BAAC", (WORD, 14), "ACOG", (WORD, 4)),
        joined((WORD, 76), "+ASt", (WORD, 5), "Q=="),
        joined((WORD, 33), "AIoTA", (WORD, 5), "="),
    ),
    "Tencent Cloud key": key("AKID", WORD, 32),
    "Yandex Cloud key": one_of(
        key("AQVN", URL_SAFE, 36), joined("t1.", (URL_SAFE, 70), ".", (URL_SAFE, 86))
    ),
    "Scaleway key": key("SCW", UPPER, 17),
    "Cloudflare token": one_of(
        joined("cfut_", (WORD, 40), (HEX, 8)), joined("v1.0-", (HEX, 24), "-", (HEX, 146))
    ),
    "Vercel token": key("vcp_", WORD, 56),
    "Neon key": key("napi_", LOWER, 64),
    "Aiven password": key("AVNS_", URL_SAFE, 19),
    "MongoDB Atlas secret": key("mdb_sa_sk_", URL_SAFE, 40),
    "Confluent secret": key("cflt", BASE64, 60),
    "1Password secret key": joined(
        "A3-", (UPPER, 6), "-", (UPPER, 11), *("-", (UPPER, 5)) * 3
    ),
    "NuGet key": key("oy2", LOWER, 43),
    "Clojars token": key("CLOJARS_", LOWER, 60),
    "Buildkite token": key("bkua_", HEX, 40),
    "CircleCI token": joined("CCIPAT_", (WORD, 22), "_", (HEX, 40)),
    "Sonar token": key("squ_", HEX, 40),
    "Resend key": joined("re_", (WORD, 8), "_", (WORD, 24)),
    "Mandrill key": key("md-", WORD, 22),
    "MailerSend token": key("mlsn.", HEX, 64),
    "Klaviyo key": key("pk_", HEX, 34),
    "Matrix token": joined("syt_", (WORD, 8), "_", (LETTERS, 20), "_", (WORD, 6)),
    "Power Automate webhook": joined(
        "https://prod-12.westus.logic.azure.com:443/workflows/", (HEX, 32),
        "/triggers/manual/paths/invoke?api-version=2016-06-01&sv=1.0&sig=", (URL_SAFE, 43),
    ),
    "Firebase server key": joined("AAAA", (URL_SAFE, 7), ":APA91b", (URL_SAFE, 134)),
    "Facebook token": key("EAAG", WORD, 170),
    "X bearer token": joined("A" * 22, (WORD, 20), "%2B", (WORD, 20), "%3D", (WORD, 50)),
    "Plaid token": joined("access-production-", uuid),
    "Flutterwave key": joined("FLWSECK_TEST-", (HEX, 32), "-X"),
    "Mollie key": key("live_", WORD, 30),
    "Shippo token": key("shippo_live_", HEX, 40),
    "EasyPost key": key("EZAK", WORD, 54),
    "Duffel token": key("duffel_live_", URL_SAFE, 43),
    "Perplexity key": key("pplx-", WORD, 48),
    "Together key": key("tgp_v1_", URL_SAFE, 43),
    "Fireworks key": key("fw_", WORD, 24),
    "Cerebras key": key("csk-", LOWER, 48),
    "NVIDIA key": key("nvapi-", URL_SAFE, 64),
    "ElevenLabs key": key("sk_", HEX, 48),
    "LangSmith key": joined("lsv2_pt_", (HEX, 32), "_", (HEX, 10)),
    "Langfuse key": joined("sk-lf-", uuid),
    "Jina key": key("jina_", WORD, 60),
    "Tavily key": key("tvly-dev-", WORD, 32),
    "Voyage key": key("pa-", WORD, 43),
    "Weights & Biases key": joined("wandb_v1_", (WORD, 27), "_", (WORD, 49)),
    "Pinecone key": joined("pcsk_", (WORD, 6), "_", (WORD, 63)),
    "Dynatrace token": joined("dt0c01.", (UPPER, 24), ".", (UPPER, 64)),
    "Honeycomb key": key("hcaik_", LOWER, 58),
    "LaunchDarkly key": joined("sdk-", uuid),
    "PostHog key": key("phx_", WORD, 43),
    "Contentful token": key("CFPAT-", URL_SAFE, 43),
    "ReadMe key": key("rdme_", LOWER, 70),
    "HubSpot token": joined("pat-na1-", uuid),
    "Prefect key": key("pnu_", WORD, 36),
    "Asana token": joined("1/", (DIGITS, 16), ":", (HEX, 32)),
    "Dropbox token": one_of(key("sl.", URL_SAFE, 135), key("sl.u.", URL_SAFE, 400)),
    "Typeform token": key("tfp_", URL_SAFE, 59),
    "Infracost key": key("ico-", WORD, 32),
    "Planet key": key("PLAK", HEX, 32),
    "Ory token": key("ory_pat_", WORD, 32),
}  # fmt: skip
