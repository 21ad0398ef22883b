// Ready configurations for stock Kafka clients. Pure, so that a test can read them.

export interface Access {
  bootstrap: string
  username: string
  password: string
  topic: string
  group: string
  /** The brokers themselves: no tokens, and no PLAIN. */
  native: boolean
  /** Where clients get short-lived tokens. */
  tokenUrl: string
}

export interface Snippet {
  key: string
  label: string
  file: string
  text: string
}

/**
 * SCRAM proves the secret without sending it, so it is the one that is shown. Not for kcat: librdkafka before 2.6.1, which
 * distributions still carry, repeats the nonce, and a server that follows RFC 5802 (Kafka 4 too) refuses that.
 */
const MECHANISM = 'SCRAM-SHA-512'

export function snippetsFor(access: Access): readonly Snippet[] {
  const all = [
    { key: 'java', label: 'Java properties', file: 'client.properties', text: java(access) },
    { key: 'librdkafka', label: 'librdkafka, kcat', file: 'kcat.conf', text: librdkafka(access) },
    { key: 'python', label: 'Python', file: 'consume.py', text: python(access) },
    { key: 'go', label: 'Go', file: 'consume.go', text: go(access) },
    { key: 'javascript', label: 'JavaScript', file: 'consume.mjs', text: javascript(access) },
    { key: 'token-java', label: 'Java, tokens', file: 'token.properties', text: tokenJava(access) },
    { key: 'token-librdkafka', label: 'librdkafka, tokens', file: 'token.conf', text: tokenLibrdkafka(access) },
  ]
  return access.native ? all.filter((it) => !it.key.startsWith('token')) : all
}

/** For clients that sign in by certificate: files of theirs, and nothing that is secret. */
export function certificateSnippets({ bootstrap, topic }: Pick<Access, 'bootstrap' | 'topic'>): readonly Snippet[] {
  return [
    { key: 'certificate-java', label: 'Java properties', file: 'client.properties', text: certificateJava(bootstrap, topic) },
    { key: 'certificate-librdkafka', label: 'librdkafka, kcat', file: 'kcat.conf', text: certificateLibrdkafka(bootstrap, topic) },
  ]
}

function certificateJava(bootstrap: string, topic: string): string {
  return `# kafka-console-consumer.sh --bootstrap-server ${bootstrap} --consumer.config client.properties --topic ${topic} --from-beginning
bootstrap.servers=${bootstrap}
security.protocol=SSL
# The private key (PKCS #8) and the certificate, one after the other, in one file.
ssl.keystore.type=PEM
ssl.keystore.location=client.pem
# The authority of the gateway's own certificate.
ssl.truststore.type=PEM
ssl.truststore.location=ca.pem
`
}

function certificateLibrdkafka(bootstrap: string, topic: string): string {
  return `# kcat -F kcat.conf -C -t ${topic} -o beginning -e
bootstrap.servers=${bootstrap}
security.protocol=ssl
ssl.key.location=client.key
ssl.certificate.location=client.crt
# The authority of the gateway's own certificate.
ssl.ca.location=ca.pem
`
}

function java({ bootstrap, username, password, topic }: Access): string {
  return `# kafka-console-consumer.sh --bootstrap-server ${bootstrap} --consumer.config client.properties --topic ${topic} --from-beginning
bootstrap.servers=${bootstrap}
security.protocol=SASL_PLAINTEXT
sasl.mechanism=${MECHANISM}
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="${username}" password="${password}";
`
}

function librdkafka({ bootstrap, username, password, topic, native }: Access): string {
  return `# kcat -F kcat.conf -C -t ${topic} -o beginning -e
bootstrap.servers=${bootstrap}
security.protocol=SASL_PLAINTEXT
${native ? `# librdkafka 2.6.1 or newer: before, it repeats a nonce that Kafka refuses.
sasl.mechanisms=${MECHANISM}` : `# With librdkafka 2.6.1 or newer, ${MECHANISM} is better: it does not send the secret.
sasl.mechanisms=PLAIN`}
sasl.username=${username}
sasl.password=${password}
`
}

function python({ bootstrap, username, password, topic, group }: Access): string {
  return `# pip install confluent-kafka
from confluent_kafka import Consumer  # 2.6.1 or newer

consumer = Consumer({
    "bootstrap.servers": "${bootstrap}",
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanisms": "${MECHANISM}",
    "sasl.username": "${username}",
    "sasl.password": "${password}",
    "group.id": "${group}",
    "auto.offset.reset": "earliest",
})
consumer.subscribe(["${topic}"])
while True:
    record = consumer.poll(1.0)
    if record is None:
        continue
    if record.error():
        raise SystemExit(record.error())
    print(record.key(), record.value())
`
}

function go({ bootstrap, username, password, topic, group }: Access): string {
  return `// go get github.com/twmb/franz-go
package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

func main() {
	auth := scram.Auth{User: "${username}", Pass: "${password}"}
	client, err := kgo.NewClient(
		kgo.SeedBrokers("${bootstrap}"),
		kgo.SASL(auth.AsSha512Mechanism()),
		kgo.ConsumerGroup("${group}"),
		kgo.ConsumeTopics("${topic}"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for {
		client.PollFetches(context.Background()).EachRecord(func(r *kgo.Record) {
			fmt.Println(string(r.Key), string(r.Value))
		})
	}
}
`
}

function javascript({ bootstrap, username, password, topic, group }: Access): string {
  return `// npm install kafkajs
import { Kafka } from 'kafkajs'

const kafka = new Kafka({
  brokers: ['${bootstrap.split(',').join("', '")}'],
  ssl: false,
  sasl: { mechanism: '${MECHANISM.toLowerCase()}', username: '${username}', password: '${password}' },
})
const consumer = kafka.consumer({ groupId: '${group}' })
await consumer.connect()
await consumer.subscribe({ topics: ['${topic}'], fromBeginning: true })
await consumer.run({
  eachMessage: async ({ message }) => console.log(message.key?.toString(), message.value?.toString()),
})
`
}

function tokenJava({ bootstrap, username, password, tokenUrl }: Access): string {
  return `# OAUTHBEARER: the gateway sees a token of some minutes, never the secret. Kafka's clients 3.4.1 or newer get it by themselves.
# Start Java with -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${tokenUrl}
bootstrap.servers=${bootstrap}
security.protocol=SASL_PLAINTEXT
sasl.mechanism=OAUTHBEARER
sasl.oauthbearer.token.endpoint.url=${tokenUrl}
sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler
sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="${username}" clientSecret="${password}";
`
}

function tokenLibrdkafka({ bootstrap, username, password, tokenUrl, topic }: Access): string {
  return `# kcat -F token.conf -C -t ${topic} -o beginning -e
# OAUTHBEARER: the gateway sees a token of some minutes, never the secret. librdkafka 1.9 or newer gets it by itself.
bootstrap.servers=${bootstrap}
security.protocol=SASL_PLAINTEXT
sasl.mechanisms=OAUTHBEARER
sasl.oauthbearer.method=oidc
sasl.oauthbearer.token.endpoint.url=${tokenUrl}
sasl.oauthbearer.client.id=${username}
sasl.oauthbearer.client.secret=${password}
`
}
