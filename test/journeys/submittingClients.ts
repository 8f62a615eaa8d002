/**
 * Programs that submit mail, as applications and devices use them: each hands one message over by STARTTLS, by TLS from the first
 * octet, or in clear without a login from an address that is trusted.
 */

import { createTransport } from 'nodemailer';

import { findProgram, runProgram } from '../support/peers.ts';
import type { Login } from '../support/rawPop3.ts';

/** How a message is handed over. */
export type Way = 'starttls' | 'implicit' | 'trusted';

/** One message to hand over. */
export interface Job {
  readonly way: Way;
  readonly port: number;
  readonly login: Login;
  readonly to: string;
  readonly subject: string;
  /** Of the server's certificate, in PEM. */
  readonly certificateFile: string;
  readonly certificate: string;
  /** The address that is trusted. */
  readonly localAddress: string;
}

/** How it went: whether the program says that the message was taken, and all it said. */
export interface Outcome {
  readonly isTaken: boolean;
  readonly said: string;
}

/** A program. */
export interface SubmittingClient {
  readonly name: string;
  readonly programs: readonly string[];
  submit(job: Job): Promise<Outcome>;
}

const bodyOf = ({ login, to, subject }: Job) =>
  `From: ${login.address}\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\n.\r\n..text\r\n`;

async function run(program: string, args: readonly string[], stdin = ''): Promise<Outcome> {
  const { exitCode, stdout, stderr } = await runProgram(findProgram(program) ?? '', args, { stdin });
  return { isTaken: exitCode === 0, said: `${stdout}${stderr}` };
}

/** swaks by one of its mechanisms. */
export function swaksWith(mechanism: string): SubmittingClient['submit'] {
  return (job) =>
    run('swaks', [
      ...['--server', `127.0.0.1:${job.port}`, '--from', job.login.address, '--to', job.to],
      ...['--header', `Subject: ${job.subject}`, '--body', '.\n..text'],
      ...(job.way === 'starttls' ? ['--tls'] : []),
      ...(job.way === 'implicit' ? ['--tls-on-connect'] : []),
      ...(job.way === 'trusted'
        ? ['--local-interface', job.localAddress]
        : ['--auth', mechanism, '--auth-user', job.login.address, '--auth-password', job.login.password]),
    ]);
}

const curl: SubmittingClient['submit'] = (job) =>
  run(
    'curl',
    [
      ...['--silent', '--show-error', '--verbose', '--url'],
      `${job.way === 'implicit' ? 'smtps' : 'smtp'}://127.0.0.1:${job.port}/client.example.org`,
      ...['--mail-from', job.login.address, '--mail-rcpt', job.to, '--upload-file', '-'],
      ...(job.way === 'starttls' ? ['--ssl-reqd'] : []),
      ...(job.way === 'trusted'
        ? ['--interface', job.localAddress]
        : ['--cacert', job.certificateFile, '--user', `${job.login.address}:${job.login.password}`]),
    ],
    bodyOf(job),
  );

const msmtp: SubmittingClient['submit'] = (job) =>
  run(
    'msmtp',
    [
      ...['--file=/dev/null', '--host=127.0.0.1', `--port=${job.port}`, `--from=${job.login.address}`],
      ...(job.way === 'trusted'
        ? [`--source-ip=${job.localAddress}`]
        : [
            ...['--tls=on', `--tls-starttls=${job.way === 'starttls' ? 'on' : 'off'}`],
            ...[`--tls-trust-file=${job.certificateFile}`, '--auth=on', `--user=${job.login.address}`],
            `--passwordeval=printf '%s' '${job.login.password}'`,
          ]),
      ...['--', job.to],
    ],
    bodyOf(job),
  );

const nodemailer: SubmittingClient['submit'] = async (job) => {
  const { address: user, password: pass } = job.login;
  const transport = createTransport({
    host: '127.0.0.1',
    port: job.port,
    secure: job.way === 'implicit',
    ...(job.way === 'trusted'
      ? { ignoreTLS: true, localAddress: job.localAddress }
      : { requireTLS: true, auth: { user, pass }, tls: { ca: job.certificate, servername: 'localhost' } }),
  });
  try {
    const { response } = await transport.sendMail({
      from: user,
      to: job.to,
      subject: job.subject,
      text: '.',
    });
    return { isTaken: true, said: response };
  } catch (error) {
    return { isTaken: false, said: String(error) };
  } finally {
    transport.close();
  }
};

const PYTHON = `
import json, smtplib, ssl, sys
job = json.load(sys.stdin)
context = ssl.create_default_context(cadata=job["certificate"])
if job["way"] == "implicit":
    smtp = smtplib.SMTP_SSL("127.0.0.1", job["port"], context=context)
elif job["way"] == "trusted":
    smtp = smtplib.SMTP("127.0.0.1", job["port"], source_address=(job["localAddress"], 0))
else:
    smtp = smtplib.SMTP("127.0.0.1", job["port"])
    smtp.starttls(context=context)
if job["way"] != "trusted":
    smtp.login(job["login"]["address"], job["login"]["password"])
smtp.sendmail(job["login"]["address"], [job["to"]], job["body"], mail_options=["RET=HDRS"], rcpt_options=["NOTIFY=FAILURE"])
smtp.quit()
`;

const python: SubmittingClient['submit'] = (job) =>
  run('python3', ['-c', PYTHON], JSON.stringify({ ...job, body: bodyOf(job) }));

/** All of them. */
export const SUBMITTING_CLIENTS: readonly SubmittingClient[] = [
  { name: 'swaks (LOGIN)', programs: ['swaks'], submit: swaksWith('LOGIN') },
  { name: 'swaks (PLAIN)', programs: ['swaks'], submit: swaksWith('PLAIN') },
  { name: 'curl', programs: ['curl'], submit: curl },
  { name: 'msmtp', programs: ['msmtp'], submit: msmtp },
  { name: 'nodemailer', programs: [], submit: nodemailer },
  { name: 'Python smtplib', programs: ['python3'], submit: python },
];
